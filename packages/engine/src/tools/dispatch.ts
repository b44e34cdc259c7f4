import type { ImagePart, TextPart, Tool, ToolResult } from '@maestro/ports';
import type {
  Attachment,
  Decision,
  Item,
  ItemOf,
  ItemStatus,
  Json,
  MessageId,
  ToolCallData,
} from '@maestro/protocol';
import { newId } from '@maestro/protocol';
import { rewrite } from '../actor/new-item.ts';
import type { ToolCall, WrittenCall } from '../turn/step-items.ts';
import { SessionLost, type TurnContext } from '../turn/turn-context.ts';
import { decideAccess, firstOutside } from './access.ts';
import { limitText, textOfContent } from './output-limit.ts';
import { type Prepared, prepare } from './prepare.ts';
import type { Toolbox } from './toolbox.ts';

/** How a call ended: in the transcript, and for the model. */
interface Ending {
  readonly status: ItemStatus;
  readonly result: ToolResult;
}

export const notFinished = 'This turn was stopped before the call was finished.';
const notStarted = 'This turn was stopped before the call was started.';

/** Runs the calls of one answer: neighbouring reads side by side, everything else in order. */
export const runCalls = async (
  context: TurnContext,
  calls: readonly WrittenCall[],
  toolbox: Toolbox,
): Promise<void> => {
  const prepared = calls.map((call) => ({ call, prepared: prepare(call, toolbox) }));
  for (const group of groups(prepared)) {
    const ends = await Promise.allSettled(group.map((each) => runCall(context, each.call, each.prepared)));
    // Only now: no call of a group may run on after its turn has ended.
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }
};

/** Ends the calls of an answer that the turn will not act on. */
export const skipCalls = async (context: TurnContext, calls: readonly WrittenCall[]): Promise<void> => {
  for (const call of calls) {
    const result = wrong('The turn ended before this call was started.');
    await finishCall(context, call, call.item, { status: 'cancelled', result });
  }
};

interface PreparedCall {
  readonly call: WrittenCall;
  readonly prepared: Prepared;
}

/** Neighbouring reads form a group; every other call is one of its own. */
export const groups = (calls: readonly PreparedCall[]): PreparedCall[][] => {
  const made: PreparedCall[][] = [];
  for (const each of calls) {
    const last = made.at(-1);
    const joins = isRead(each) && last?.[0] !== undefined && isRead(last[0]);
    if (joins) last.push(each);
    else made.push([each]);
  }
  return made;
};

const isRead = (each: PreparedCall): boolean =>
  each.prepared.type === 'ready' && each.prepared.tool.kind === 'read';

const runCall = async (context: TurnContext, call: WrittenCall, prepared: Prepared): Promise<void> => {
  const { item } = call;
  if (context.signal.aborted)
    return finishCall(context, call, item, { status: 'cancelled', result: wrong(notStarted) });
  if (prepared.type === 'wrong')
    return finishCall(context, call, item, { status: 'failed', result: wrong(prepared.reason) });
  const { tool, input } = prepared;
  const asked = await permitted(context, call, item, tool, input);
  if (asked.ending) return finishCall(context, call, { ...item, title: asked.title }, asked.ending);
  const row = await started(context, item, asked.title);
  const ended = context.deps.telemetry?.toolRun({
    session_id: context.session.id,
    turn_id: context.turn_id,
    call_id: call.call_id,
    name: tool.name,
  });
  const result = await execute(context, tool, input, row);
  const status = statusOf(context, result);
  ended?.({ status, error: result.is_error ? textOfContent(result.content) : null });
  await finishCall(context, call, row, { status, result });
};

const statusOf = (context: TurnContext, result: ToolResult): ItemStatus => {
  if (result === unstoppable) return 'unknown';
  if (context.signal.aborted) return 'cancelled';
  return result.is_error ? 'failed' : 'done';
};

/** The call's title, and how it ends when it may not run. What a tool throws here is an end too. */
const permitted = async (
  context: TurnContext,
  call: ToolCall,
  item: Item,
  tool: Tool,
  input: Record<string, unknown>,
): Promise<{ title: string; ending: Ending | undefined }> => {
  try {
    const title = tool.summary(input);
    return { title, ending: await permit(context, call, item, tool, input) };
  } catch (error) {
    if (error instanceof SessionLost) throw error;
    return { title: tool.title, ending: { status: 'failed', result: unexpected(context, tool, error) } };
  }
};

const started = async (
  context: TurnContext,
  item: ItemOf<'tool_call'>,
  title: string,
): Promise<ItemOf<'tool_call'>> => {
  const started_at = new Date(context.deps.clock.now()).toISOString();
  const running = await context.write(
    { items: [rewrite(item, 'running', { ...item.data, started_at }, title)] },
    (written) => {
      const row = written.items.find((each) => each.id === item.id);
      if (row) context.live.adopt(row);
    },
  );
  const row = running.items.find((each) => each.id === item.id);
  if (row?.kind !== 'tool_call') throw new Error(`The item ${item.id} was not written.`);
  return row;
};

/** undefined: the call may run. Otherwise how it ends without running. */
const permit = async (
  context: TurnContext,
  call: ToolCall,
  item: Item,
  tool: Tool,
  input: Record<string, unknown>,
): Promise<Ending | undefined> => {
  const { session } = context;
  const outside =
    session.access_mode === 'workspace'
      ? await firstOutside(session.working_directory, tool.touches(input))
      : undefined;
  const decision = decideAccess(session.access_mode, tool.kind, outside);
  if (decision.type === 'allow') return undefined;
  if (decision.type === 'refuse') return { status: 'failed', result: wrong(decision.reason) };
  const answer: Decision = await context.approve({
    tool: tool.name,
    action: tool.title,
    detail: tool.summary(input),
    risk: tool.kind,
    item,
  });
  if (answer === 'accept' || answer === 'accept_for_session') return undefined;
  if (answer === 'decline')
    return {
      status: 'cancelled',
      result: wrong(`The person declined this call (${call.name}). Do not try it again without asking why.`),
    };
  return { status: 'cancelled', result: wrong(notStarted) };
};

const execute = async (
  context: TurnContext,
  tool: Tool,
  input: Record<string, unknown>,
  item: Item,
): Promise<ToolResult> => {
  const { session, signal, live } = context;
  try {
    const result = (async () =>
      tool.execute(input, {
        session_id: session.id,
        working_directory: session.working_directory,
        access: session.access_mode,
        signal,
        report: (stream, text) => live.append(item.id, stream, text),
      }))();
    return await endsAfter(result, signal);
  } catch (error) {
    return unexpected(context, tool, error);
  }
};

/** How long a tool may take to end after it was told to stop, in ms: its processes get 1 s before they are killed. */
const grace_ms = 4_000;

const unstoppable: ToolResult = {
  content: [
    {
      type: 'text',
      text: 'This call was told to stop and did not end. Whether it took effect, or still will, is unknown: check before doing it again.',
    },
  ],
  is_error: true,
};

/** The tool's result; when it was told to stop and does not, one that says so. */
const endsAfter = (result: Promise<ToolResult>, signal: AbortSignal): Promise<ToolResult> =>
  new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    const stop = (): void => {
      timer = setTimeout(() => resolve(unstoppable), grace_ms);
    };
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
    result.then(resolve, reject);
    result.then(done, done);
  });

const unexpected = (context: TurnContext, tool: Tool, error: unknown): ToolResult => {
  context.deps.log.error('tool failed unexpectedly', { tool: tool.name, error: String(error) });
  return wrong(`${tool.name} failed unexpectedly: ${error instanceof Error ? error.message : String(error)}`);
};

/** Writes the call's end and the result the model is given, in one change. */
export const finishCall = async (
  context: TurnContext,
  call: ToolCall,
  item: ItemOf<'tool_call'>,
  ending: Ending,
): Promise<void> => {
  const { deps, turn_id, live } = context;
  const text = textOfContent(ending.result.content);
  const limited = limitText(text, deps.limits.tool_output_chars);
  const { whole } = limited;
  const blob =
    whole === undefined
      ? undefined
      : await context.patiently(() =>
          deps.stores.blobs.put(new TextEncoder().encode(whole), 'text/plain; charset=utf-8'),
        );
  const images = await storeImages(context, ending.result.content);
  const failed = ending.result.is_error === true;
  const aborted = ending.status === 'cancelled' && context.signal.aborted;
  const words = aborted && text === '' ? notFinished : limited.text;
  const data: ToolCallData = {
    ...item.data,
    output: words,
    ...(blob ? { output_blob: blob.id } : {}),
    ...(images.length > 0 ? { images } : {}),
    ...(ending.result.details === undefined ? {} : { details: ending.result.details }),
    ...(failed ? { error: words.slice(0, 2000) } : {}),
    stdout: live.text(item.id, 'stdout') || undefined,
    stderr: live.text(item.id, 'stderr') || undefined,
    ended_at: new Date(deps.clock.now()).toISOString(),
  };
  const content = [
    {
      type: 'tool_result',
      call_id: call.call_id,
      name: call.name,
      is_error: failed,
      content: [
        ...(words === '' ? [] : [{ type: 'text', text: words }]),
        ...images.map((image) => ({ type: 'image', blob_id: image.blob_id, media_type: image.media_type })),
      ],
    },
  ] satisfies Json;
  const message = { id: newId<MessageId>('msg'), turn_id, role: 'tool' as const, content };
  await context.write({
    items: [rewrite(item, ending.status, withoutUndefined(data), ending.result.title ?? item.title)],
    messages: [message],
  });
  live.close(item.id);
  context.rows.push({ ...message, ordinal: 0, native: null });
  auditCall(context, call, ending);
};

const storeImages = async (
  context: TurnContext,
  content: readonly (TextPart | ImagePart)[],
): Promise<Attachment[]> => {
  const images = content.filter((part) => part.type === 'image');
  return Promise.all(
    images.map(async (image) => {
      const blob = await context.patiently(() =>
        context.deps.stores.blobs.put(image.bytes, image.media_type),
      );
      return { blob_id: blob.id, media_type: image.media_type, size: blob.size };
    }),
  );
};

const auditCall = (context: TurnContext, call: ToolCall, ending: Ending): void => {
  const { deps, session } = context;
  const input = JSON.stringify(call.input);
  deps.stores.audit
    .write({
      actor: `session:${session.id}`,
      action: 'tool.execute',
      target: call.name,
      before: null,
      after: { input: input.length > 2000 ? `${input.slice(0, 2000)}…` : input },
      outcome: ending.status === 'done' ? 'ok' : ending.status === 'failed' ? 'failed' : 'refused',
      detail: ending.result.is_error ? textOfContent(ending.result.content).slice(0, 500) : null,
    })
    .catch((reason: unknown) => deps.log.error('audit row not written', { reason: String(reason) }));
};

export const wrong = (text: string): ToolResult => ({ content: [{ type: 'text', text }], is_error: true });

const withoutUndefined = (data: ToolCallData): ToolCallData =>
  Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined)) as ToolCallData;
