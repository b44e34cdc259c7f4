import type { HistoryRow, Native } from '@maestro/ports';
import type { AuthType, Json, MessageId, TurnId } from '@maestro/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildHistory, unknownOutcome } from './history.ts';

const turn = 'trn_1' as TurnId;
let next = 0;
const row = (role: HistoryRow['role'], content: Json, native: Native | null = null): HistoryRow => ({
  id: `msg_${next++}` as MessageId,
  turn_id: turn,
  ordinal: next,
  role,
  content,
  native,
});
const text = (words: string): Json => ({ type: 'text', text: words });
const call = (call_id: string): Json => ({
  type: 'tool_call',
  call_id,
  name: 'read_file',
  input: { path: 'a' },
});
const result = (call_id: string, words = 'ok'): Json => ({
  type: 'tool_result',
  call_id,
  name: 'read_file',
  is_error: false,
  content: [text(words)],
});
const target = { wire: 'anthropic', model: 'm1', auth_type: 'api_key' } as const;
const noImages = async () => undefined;

describe('building the history (S9, P1)', () => {
  it('answers every tool call in the message right after it, in the order of the calls', async () => {
    const rows = [
      row('user', [text('go')]),
      row('assistant', [text('reading'), call('a'), call('b')]),
      row('tool', [result('b', 'second')]),
      row('tool', [result('a', 'first')]),
    ];
    const history = await buildHistory(rows, target, noImages);
    expect(history.map((each) => each.role)).toEqual(['user', 'assistant', 'tool']);
    expect(history[2]?.parts.map((part) => part.type === 'tool_result' && part.call_id)).toEqual(['a', 'b']);
  });

  it('says what is not known of a call whose result a crash took', async () => {
    const history = await buildHistory(
      [row('user', [text('go')]), row('assistant', [call('a')])],
      target,
      noImages,
    );
    expect(history[2]).toEqual({
      role: 'tool',
      parts: [
        {
          type: 'tool_result',
          call_id: 'a',
          name: 'read_file',
          is_error: true,
          content: [{ type: 'text', text: unknownOutcome }],
        },
      ],
    });
  });

  it('keeps the own parts for the same wire and model and drops them and the thoughts for another', async () => {
    const native: Native = { wire: 'anthropic', model: 'm1', parts: [{ signature: 'x' }] };
    const rows = [
      row('user', [text('go')]),
      row('assistant', [{ type: 'thought', text: 'hm' }, text('hi')], native),
      row('user', [text('more')]),
    ];
    const same = await buildHistory(rows, target, noImages);
    expect(same[1]).toMatchObject({ native, parts: [{ type: 'thought' }, { type: 'text' }] });
    for (const other of [
      { ...target, wire: 'gemini' },
      { ...target, model: 'm2' },
    ] as const) {
      const history = await buildHistory(rows, other, noImages);
      expect(history[1]).toEqual({ role: 'assistant', parts: [{ type: 'text', text: 'hi' }] });
    }
  });

  it('keeps the own parts for the same kind of credential only: a key and a login are different accounts (P8, P10)', async () => {
    const said = (auth_type?: AuthType) => [
      row('user', [text('go')]),
      row('assistant', [{ type: 'thought', text: 'hm' }, text('hi')], {
        wire: 'openai_responses',
        model: 'm1',
        parts: [{ encrypted_content: 'x' }],
        ...(auth_type && { auth_type }),
      }),
      row('user', [text('more')]),
    ];
    const sent = async (kept: AuthType | undefined, auth_type: AuthType) => {
      const history = await buildHistory(
        said(kept),
        { wire: 'openai_responses', model: 'm1', auth_type },
        noImages,
      );
      return history[1];
    };
    const whole = { native: { parts: [{ encrypted_content: 'x' }] }, parts: [{ type: 'thought' }, {}] };
    const bare = { role: 'assistant', parts: [{ type: 'text', text: 'hi' }] };
    expect(await sent('oauth', 'oauth')).toMatchObject(whole);
    expect(await sent('api_key', 'api_key')).toMatchObject(whole);
    expect(await sent(undefined, 'api_key')).toMatchObject(whole);
    expect(await sent('oauth', 'api_key')).toEqual(bare);
    expect(await sent('api_key', 'oauth')).toEqual(bare);
    expect(await sent(undefined, 'oauth')).toEqual(bare);
  });

  it('leaves an agent the name of its conversation, whatever its model and credential', async () => {
    const native: Native = { wire: 'claude_code', model: 'm1', parts: { session: 's' } };
    const rows = [row('user', [text('go')]), row('assistant', [text('hi')], native)];
    const history = await buildHistory(rows, { wire: 'claude_code', model: null }, noImages);
    expect(history[1]).toMatchObject({ native });
  });

  it('ends with the person, so that a stopped answer can be continued', async () => {
    const history = await buildHistory(
      [row('user', [text('go')]), row('assistant', [text('half an ans')])],
      target,
      noImages,
    );
    expect(history.at(-1)?.role).toBe('user');
  });

  it('names an image whose bytes are gone', async () => {
    const image: Json = { type: 'image', blob_id: 'b'.repeat(64), media_type: 'image/png' };
    const history = await buildHistory([row('user', [image])], target, noImages);
    expect(history[0]?.parts[0]).toMatchObject({ type: 'text' });
  });

  it('is well-formed whatever rows there are', async () => {
    const id = fc.constantFrom('a', 'b', 'c');
    const anyRow = fc.oneof(
      fc.string({ minLength: 1 }).map((words) => row('user', [text(words)])),
      fc.array(fc.oneof(fc.string().map(text), id.map(call)), { maxLength: 4 }).map((parts) => {
        const seen = new Set<string>();
        return row(
          'assistant',
          parts.filter(
            (part) =>
              !(typeof part === 'object' && part !== null && 'call_id' in part) ||
              (!seen.has(String(part['call_id'])) && seen.add(String(part['call_id']))),
          ),
        );
      }),
      id.map((each) => row('tool', [result(each)])),
      fc.constant(row('user', 'not a list')),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(anyRow, { maxLength: 12 }), async (rows) => {
        const history = await buildHistory(rows, target, noImages);
        history.forEach((message, at) => {
          expect(message.parts.length).toBeGreaterThan(0);
          const calls =
            message.role === 'assistant' ? message.parts.filter((part) => part.type === 'tool_call') : [];
          const after = history[at + 1];
          if (calls.length > 0) {
            expect(after?.role).toBe('tool');
            expect(after?.parts.map((part) => (part.type === 'tool_result' ? part.call_id : ''))).toEqual(
              calls.map((each) => each.call_id),
            );
          }
          if (message.role === 'tool') expect(history[at - 1]?.role).toBe('assistant');
          if (message.role === 'assistant') expect(history[at - 1]?.role).not.toBe('assistant');
        });
        if (history.length > 0) {
          expect(history[0]?.role).toBe('user');
          expect(history.at(-1)?.role).not.toBe('assistant');
        }
      }),
    );
  });
});
