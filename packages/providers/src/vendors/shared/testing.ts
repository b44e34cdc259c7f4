import type { HistoryMessage, Native, ProviderRequest, ToolCallPart, ToolResultPart } from '@maestro/ports';
import type { Json } from '@maestro/protocol';
import fc from 'fast-check';
import type { Codec, Decoded, Decoder, Finished, Frame } from '../../codec.ts';

/** A request with nothing special in it. */
export const requestOf = (over: Partial<ProviderRequest> = {}): ProviderRequest => ({
  session_id: 'ses_1',
  model: 'm',
  system: '',
  history: [user('Hello')],
  tools: [],
  effort: null,
  max_output_tokens: null,
  base_url: null,
  credential: null,
  ...over,
});

export const user = (text: string): HistoryMessage => ({ role: 'user', parts: [{ type: 'text', text }] });
export const image = { type: 'image' as const, media_type: 'image/png', bytes: new Uint8Array([1, 2, 3]) };
export const call = (call_id: string, name = 'read_file', input: Json = { path: 'a.txt' }): ToolCallPart => ({
  type: 'tool_call',
  call_id,
  name,
  input,
});
export const result = (call_id: string, text = 'hi', more: Partial<ToolResultPart> = {}): ToolResultPart => ({
  type: 'tool_result',
  call_id,
  name: 'read_file',
  content: [{ type: 'text', text }],
  is_error: false,
  ...more,
});
export const assistant = (
  parts: Extract<HistoryMessage, { role: 'assistant' }>['parts'],
  native?: Native,
): HistoryMessage => ({ role: 'assistant', parts, ...(native !== undefined && { native }) });
export const tool = (...parts: ToolResultPart[]): HistoryMessage => ({ role: 'tool', parts });

export const readFile = {
  name: 'read_file',
  description: 'Reads a file.',
  parameters: { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] },
};

/** Frames of JSON values; a string is sent as it is. */
export const framesOf = (values: readonly Json[]): Frame[] =>
  values.map((value) => ({ data: typeof value === 'string' ? value : JSON.stringify(value) }));

/** Everything a decoder says of some frames. */
export const decode = (
  codec: Codec,
  request: ProviderRequest,
  values: readonly Json[],
): { events: Decoded[]; finished: Finished | undefined; decoder: Decoder } => {
  const decoder = codec.decoder(request);
  const events = framesOf(values).flatMap((frame) => [...decoder.push(frame)]);
  return { events, finished: decoder.finish(), decoder };
};

/** Text of each block, with its kind, in the order of their numbers; calls with name and input. */
export const blocksOf = (events: readonly Decoded[]): Json[] => {
  const blocks = new Map<number, { [key: string]: Json }>();
  for (const event of events) {
    if (event.type === 'block_start') {
      const block: { [key: string]: Json } = { kind: event.kind };
      if (event.kind === 'tool_call') block['name'] = event.name;
      blocks.set(event.block, { ...block, text: '', ended: false });
    } else if (event.type === 'delta') {
      const block = blocks.get(event.block);
      if (block === undefined || block['ended'] === true)
        throw new Error(`delta outside block ${event.block}`);
      block['text'] = `${block['text']}${event.text}`;
    } else if (event.type === 'block_end') {
      const block = blocks.get(event.block);
      if (block === undefined || block['ended'] === true) throw new Error(`second end of ${event.block}`);
      block['ended'] = true;
      if (event.input !== undefined) block['input'] = event.input;
      if (event.input_error !== undefined) block['input_error'] = event.input_error;
      if (event.redacted !== undefined) block['redacted'] = event.redacted;
    }
  }
  return [...blocks.values()].map(({ ended, ...block }) =>
    ended === true ? block : { ...block, ended: false },
  );
};

/** Histories as the engine may build them, from any vendor: every call has a result, ids are of any shape. */
export const histories: fc.Arbitrary<HistoryMessage[]> = fc
  .array(
    fc.oneof(
      fc.record({ kind: fc.constant('user' as const), text: fc.string(), image: fc.boolean() }),
      fc.record({
        kind: fc.constant('assistant' as const),
        text: fc.string(),
        thought: fc.string(),
        calls: fc.array(fc.record({ id: fc.string(), ok: fc.boolean(), answered: fc.boolean() }), {
          maxLength: 4,
        }),
        reversed: fc.boolean(),
      }),
    ),
    { minLength: 1, maxLength: 8 },
  )
  .map((turns) =>
    turns.flatMap((turn): HistoryMessage[] => {
      if (turn.kind === 'user') {
        return [{ role: 'user', parts: [{ type: 'text', text: turn.text }, ...(turn.image ? [image] : [])] }];
      }
      const said = assistant([
        { type: 'thought', text: turn.thought },
        { type: 'text', text: turn.text },
        ...turn.calls.map((one) => call(one.id)),
      ]);
      const results = turn.calls
        .filter((one) => one.answered)
        .map((one) => result(one.id, one.ok ? 'fine' : '', { is_error: !one.ok }));
      if (results.length === 0) return [said];
      return [said, tool(...(turn.reversed ? results.reverse() : results))];
    }),
  );

/** Frames with events nobody knows put between them, never behind the last. */
export const withUnknown = (values: readonly Json[]): fc.Arbitrary<Json[]> =>
  fc
    .array(
      fc.record({
        at: fc.nat({ max: Math.max(0, values.length - 1) }),
        event: fc.constantFrom<Json>(
          { type: 'ping' },
          { type: 'something_new', index: 7, delta: { type: 'new_delta', text: 'x' } },
          { novelty: true },
          {},
        ),
      }),
      { maxLength: 6 },
    )
    .map((extra) => {
      const result: Json[] = [];
      for (const [index, value] of values.entries()) {
        for (const one of extra) if (one.at === index) result.push(one.event);
        result.push(value);
      }
      return result;
    });
