import type { Engine, Failure, Result } from '@maestro/ports';
import {
  ConversationId,
  Decision,
  ErrorCode,
  Item,
  ItemId,
  QueueEntry,
  QueueId,
  routes,
  Session,
  SessionId,
  TurnId,
} from '@maestro/protocol';
import { z } from 'zod';

/** The commands of a session that its owner has to run. */
export type CommandName =
  | 'patch'
  | 'delete'
  | 'send'
  | 'patchQueued'
  | 'deleteQueued'
  | 'interrupt'
  | 'resume'
  | 'fork'
  | 'activate'
  | 'retry'
  | 'edit'
  | 'answer';

export type CommandInput = { [K in CommandName]: Parameters<Engine[K]> };
export type CommandValue = {
  [K in CommandName]: Awaited<ReturnType<Engine[K]>> extends Result<infer T> ? T : never;
};
export type Commands = {
  [K in CommandName]: (...input: CommandInput[K]) => Promise<Result<CommandValue[K]>>;
};

type Schemas = {
  readonly [K in CommandName]: {
    readonly input: z.ZodType<CommandInput[K]>;
    readonly value: z.ZodType<CommandValue[K]>;
  };
};

/** How commands and their results look between servers. Those that make something have its id by then: running one again does no harm. */
const schemas: Schemas = {
  patch: { input: z.tuple([SessionId, routes.patchSession.body]), value: Session },
  delete: { input: z.tuple([SessionId]), value: z.undefined() },
  send: { input: z.tuple([SessionId, routes.sendMessage.body]), value: routes.sendMessage.response },
  patchQueued: {
    input: z.tuple([SessionId, QueueId, routes.patchQueued.body]),
    value: z.array(QueueEntry),
  },
  deleteQueued: { input: z.tuple([SessionId, QueueId]), value: z.undefined() },
  interrupt: { input: z.tuple([SessionId]), value: Session },
  resume: { input: z.tuple([SessionId]), value: z.object({ turn_id: TurnId }) },
  fork: { input: z.tuple([SessionId, routes.fork.body]), value: routes.fork.response },
  activate: { input: z.tuple([SessionId, ConversationId]), value: Session },
  retry: { input: z.tuple([SessionId, routes.retry.body]), value: routes.retry.response },
  edit: { input: z.tuple([SessionId, routes.editMessage.body]), value: routes.editMessage.response },
  answer: { input: z.tuple([SessionId, ItemId, Decision]), value: Item },
};

const isCommand = (name: string): name is CommandName => Object.hasOwn(schemas, name);

/** Runs a command as it came from another server. Throws where it is none of ours. */
export const runCommand = (commands: Commands, name: string, input: unknown): Promise<Result<unknown>> => {
  if (!isCommand(name)) throw new Error(`There is no command "${name}".`);
  return run(commands, name, input);
};

const run = <K extends CommandName>(
  commands: Commands,
  name: K,
  input: unknown,
): Promise<Result<CommandValue[K]>> => commands[name](...schemas[name].input.parse(input));

const Failed: z.ZodType<Failure> = z.object({
  code: ErrorCode,
  message: z.string(),
  field: z.string().exactOptional(),
  retry_after_s: z.number().exactOptional(),
});

/** The result of a command as it came back. Throws where it has another shape. */
export const resultOf = <K extends CommandName>(name: K, given: unknown): Result<CommandValue[K]> => {
  const result = z
    .union([
      z.object({ ok: z.literal(true), value: z.unknown().optional() }),
      z.object({ ok: z.literal(false), error: Failed }),
    ])
    .parse(given);
  return result.ok ? { ok: true, value: schemas[name].value.parse(result.value) } : result;
};
