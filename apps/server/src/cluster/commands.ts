import type { Engine, Failure, Result } from '@maestro/ports';
import {
  Conversation,
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
    /** true: running it a second time does no harm, even on another server. */
    readonly repeatable: boolean;
  };
};

const begun = { session: Session, turn_id: TurnId };

/** How commands and their results look between servers. */
const schemas: Schemas = {
  patch: { input: z.tuple([SessionId, routes.patchSession.body]), value: Session, repeatable: true },
  delete: { input: z.tuple([SessionId]), value: z.undefined(), repeatable: true },
  // Always with an id by the time it is forwarded.
  send: {
    input: z.tuple([SessionId, routes.sendMessage.body]),
    value: routes.sendMessage.response,
    repeatable: true,
  },
  patchQueued: {
    input: z.tuple([SessionId, QueueId, routes.patchQueued.body]),
    value: z.array(QueueEntry),
    repeatable: true,
  },
  deleteQueued: { input: z.tuple([SessionId, QueueId]), value: z.undefined(), repeatable: true },
  interrupt: { input: z.tuple([SessionId]), value: Session, repeatable: true },
  resume: { input: z.tuple([SessionId]), value: z.object({ turn_id: TurnId }), repeatable: true },
  // JSON has no undefined in a list.
  fork: {
    input: z.tuple([SessionId, z.union([ItemId, z.null()]).transform((at) => at ?? undefined)]),
    value: z.object({ session: Session, conversation: Conversation }),
    repeatable: false,
  },
  activate: { input: z.tuple([SessionId, ConversationId]), value: Session, repeatable: true },
  retry: { input: z.tuple([SessionId]), value: z.object(begun), repeatable: false },
  edit: {
    input: z.tuple([SessionId, ItemId, z.string()]),
    value: z.object({ ...begun, item: Item }),
    repeatable: false,
  },
  answer: { input: z.tuple([SessionId, ItemId, Decision]), value: Item, repeatable: true },
};

export const isRepeatable = (name: CommandName): boolean => schemas[name].repeatable;

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
