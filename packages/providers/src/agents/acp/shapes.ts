import { z } from 'zod';

/**
 * What agents say, read generously: a field that is missing, null or new never makes the rest unreadable.
 * Source: schema/v1 of @agentclientprotocol/sdk 2.4.0; `models` and `session/set_model` as gemini-cli 0.61.0 speaks them.
 */
const maybe = <T extends z.ZodType>(type: T) =>
  type
    .nullish()
    .catch(undefined)
    .transform((value) => value ?? undefined);

/** A list whose unreadable members are left out. */
const list = <T extends z.ZodType>(type: T) =>
  z
    .array(z.unknown())
    .catch([])
    .transform((values) =>
      values.flatMap((value): z.output<T>[] => {
        const read = type.safeParse(value);
        return read.success ? [read.data] : [];
      }),
    );

export const Block = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text'), text: z.string() }),
  z.object({ type: z.literal('image'), data: z.string(), mimeType: z.string() }),
  z.object({ type: z.literal('audio'), mimeType: z.string() }),
  z.object({ type: z.literal('resource_link'), uri: z.string(), name: maybe(z.string()) }),
  z.object({
    type: z.literal('resource'),
    resource: z.object({ uri: z.string(), text: maybe(z.string()) }),
  }),
]);
export type Block = z.output<typeof Block>;

const CallContent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('content'), content: Block }),
  z.object({
    type: z.literal('diff'),
    path: z.string(),
    oldText: maybe(z.string()),
    newText: z.string(),
  }),
  z.object({ type: z.literal('terminal'), terminalId: z.string() }),
]);
export type CallContent = z.output<typeof CallContent>;

/** A piece of a command's output, as Zed and the adapters of Codex and Claude Code tell it. */
const Piece = maybe(z.object({ data: z.string() }));

/** `tool_call`, `tool_call_update` and the call of a permission request: what is not said stays as it was. */
export const CallUpdate = z.object({
  toolCallId: z.string(),
  title: maybe(z.string()),
  name: maybe(z.string()),
  kind: maybe(z.string()),
  status: maybe(z.string()),
  content: z
    .unknown()
    .transform((value) => (Array.isArray(value) ? list(CallContent).parse(value) : undefined))
    .optional(),
  locations: maybe(list(z.object({ path: z.string() }))),
  rawInput: z.json().optional().catch(undefined),
  rawOutput: z.json().optional().catch(undefined),
  _meta: maybe(z.object({ terminal_output: Piece, terminal_output_delta: Piece })),
});
export type CallUpdate = z.output<typeof CallUpdate>;

const Value = z.object({ value: z.string(), name: z.string() });
const Option = z.object({
  id: z.string(),
  category: maybe(z.string()),
  type: z.literal('select'),
  currentValue: z.string(),
  options: z
    .array(z.unknown())
    .catch([])
    .transform((values) =>
      list(Value).parse(
        values.flatMap((value) => {
          const group = z.object({ options: z.array(z.unknown()) }).safeParse(value);
          return group.success ? group.data.options : [value];
        }),
      ),
    ),
});

/** Tokens under the names of whoever tells them. */
const Counts = z.record(z.string(), z.unknown());
export type Counts = z.output<typeof Counts>;

const chunk = { content: Block, messageId: maybe(z.string()) };

export const Update = z.discriminatedUnion('sessionUpdate', [
  z.object({
    sessionUpdate: z.literal('agent_message_chunk'),
    ...chunk,
    /** Qwen Code's own: what one call of its model took. */
    _meta: maybe(z.object({ usage: maybe(Counts) })),
  }),
  z.object({ sessionUpdate: z.literal('agent_thought_chunk'), ...chunk }),
  CallUpdate.extend({ sessionUpdate: z.literal('tool_call') }),
  CallUpdate.extend({ sessionUpdate: z.literal('tool_call_update') }),
  z.object({
    sessionUpdate: z.literal('plan'),
    entries: list(z.object({ content: z.string(), status: z.string() })),
  }),
  z.object({ sessionUpdate: z.literal('current_mode_update'), currentModeId: z.string() }),
  z.object({ sessionUpdate: z.literal('config_option_update'), configOptions: list(Option) }),
  z.object({
    sessionUpdate: z.literal('usage_update'),
    cost: maybe(z.object({ amount: z.number().nonnegative(), currency: z.string() })),
  }),
  z.object({
    sessionUpdate: z.literal('notice'),
    severity: z.string(),
    title: z.string(),
    description: maybe(z.string()),
  }),
  z.object({
    sessionUpdate: z.literal('compaction_update'),
    status: z.string(),
    error: maybe(z.string()),
  }),
]);
export type Update = z.output<typeof Update>;

export const UpdateParams = z.object({ sessionId: z.string(), update: z.unknown() });

export const Initialized = z.object({
  protocolVersion: z.number(),
  agentInfo: maybe(z.object({ name: z.string(), title: maybe(z.string()), version: z.string() })),
  authMethods: list(z.object({ id: z.string(), name: z.string(), description: maybe(z.string()) })),
  agentCapabilities: z
    .object({
      loadSession: z.boolean().catch(false),
      promptCapabilities: z.object({ image: z.boolean().catch(false) }).catch({ image: false }),
      mcpCapabilities: z
        .object({ http: z.boolean().catch(false), sse: z.boolean().catch(false) })
        .catch({ http: false, sse: false }),
    })
    .catch({
      loadSession: false,
      promptCapabilities: { image: false },
      mcpCapabilities: { http: false, sse: false },
    }),
});
export type Initialized = z.output<typeof Initialized>;

/** The answer to `session/new` and `session/load`. */
export const SessionMade = z.object({
  sessionId: maybe(z.string()),
  modes: maybe(
    z.object({
      currentModeId: z.string(),
      availableModes: list(z.object({ id: z.string(), name: z.string() })),
    }),
  ),
  models: maybe(
    z.object({
      currentModelId: z.string(),
      availableModels: list(z.object({ modelId: z.string(), name: z.string() })),
    }),
  ),
  configOptions: list(Option),
});
export type SessionMade = z.output<typeof SessionMade>;

export const PermissionParams = z.object({
  sessionId: z.string(),
  toolCall: CallUpdate,
  options: list(z.object({ optionId: z.string(), name: z.string(), kind: z.string() })),
});
export type PermissionParams = z.output<typeof PermissionParams>;

export const ReadParams = z.object({
  sessionId: z.string(),
  path: z.string(),
  /** From 1. */
  line: maybe(z.int().nonnegative()),
  limit: maybe(z.int().nonnegative()),
});
export const WriteParams = z.object({ sessionId: z.string(), path: z.string(), content: z.string() });

export const Prompted = z.object({
  stopReason: z.string(),
  /** Not part of the protocol yet; Codex tells it. */
  usage: maybe(Counts),
  _meta: maybe(
    z.object({
      /** gemini-cli's own, and Codex's. */
      quota: maybe(
        z.object({
          token_count: maybe(Counts),
          model_usage: list(z.object({ model: z.string(), token_count: Counts })),
        }),
      ),
    }),
  ),
});
export type Prompted = z.output<typeof Prompted>;
