import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type House, itemsOf, startHouse, wires } from '../support/house.ts';

describe('an agent does real work on each wire (P1, S4, S5, A4, T1, T2)', () => {
  let house: House;
  beforeAll(async () => {
    house = await startHouse();
  });
  afterAll(() => house[Symbol.asyncDispose]());

  it.each(wires)('$provider reads a file and writes another', async ({ provider, model }) => {
    const working_directory = house.folder({ 'input.txt': 'grüße, world\n' });
    const session = await house.session({ provider, model, working_directory });
    const watch = await house.ask(session.id, 'read input.txt and write its upper case to out.txt');

    expect(readFileSync(join(working_directory, 'out.txt'), 'utf8')).toBe('GRÜSSE, WORLD\n');
    expect(watch.view?.turn).toMatchObject({ status: 'done', steps: 3 });
    const calls = itemsOf(watch, 'tool_call');
    expect(calls.map((call) => [call.data.name, call.status])).toEqual([
      ['read_file', 'done'],
      ['write_file', 'done'],
    ]);
    expect(itemsOf(watch, 'agent_message').at(-1)?.data.text).toContain('out.txt');

    const { messages } = await house.client.listMessages({ params: { session_id: session.id }, query: {} });
    expect(messages.map((message) => message.role)).toEqual([
      'user',
      'assistant',
      'tool',
      'assistant',
      'tool',
      'assistant',
    ]);
    const spoken = messages.filter((message) => message.role === 'assistant');
    for (const message of spoken) {
      expect(message.usage?.request_tokens).toBeGreaterThan(0);
      expect(message.usage?.response_tokens).toBeGreaterThan(0);
      expect(message.cost_usd).not.toBeNull();
      expect(message.latency_ms).toBeGreaterThanOrEqual(0);
    }
    const { totals } = await house.client.sessionUsage({ params: { session_id: session.id } });
    expect(totals.calls).toBe(3);
    expect(totals.request_tokens).toBe(
      spoken.reduce((sum, message) => sum + (message.usage?.request_tokens ?? 0), 0),
    );
    if (provider !== 'ollama') expect(Number(totals.cost_usd)).toBeGreaterThan(0);

    const seen = house.simulator.requests.filter(
      (request) => request.status === 200 && request.json !== null,
    );
    for (const message of spoken) {
      const raw = await house.client.rawMessage({ params: { id: message.id } });
      expect(seen.map((request) => request.body.toString('utf8'))).toContain(raw.request_body);
      expect(JSON.stringify(raw)).not.toMatch(/sk-ant-test-key|sk-test-key|gemini-test-key/);
    }
    watch.close();
  });
});
