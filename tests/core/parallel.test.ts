import { defineTool, type ProviderEvent, type ProviderRequest } from '@maestro/ports';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { done, startEngine } from './support/engine.ts';

/** A tool whose call ends only when as many calls as it waits for run at the same time. */
const meeting = (kind: 'read' | 'write', size: number) => {
  const here = Promise.withResolvers<void>();
  let most = 0;
  let now = 0;
  const tool = defineTool({
    name: `meet_${kind}`,
    title: 'Meet',
    description: 'Waits for the others.',
    kind,
    input: z.object({}),
    touches: () => [],
    summary: () => 'Meet',
    execute: async () => {
      now += 1;
      most = Math.max(most, now);
      if (now >= size) here.resolve();
      await here.promise;
      now -= 1;
      return { content: [{ type: 'text', text: 'met' }] };
    },
  });
  return { tool, most: () => most };
};

const calling = (name: string, times: number) =>
  async function* (request: ProviderRequest): AsyncGenerator<ProviderEvent> {
    if (request.history.at(-1)?.role === 'tool') return yield done();
    for (let block = 0; block < times; block += 1) {
      yield { type: 'block_start', block, kind: 'tool_call', call_id: `call_${block}`, name };
      yield { type: 'block_end', block, input: {} };
    }
    yield done('tool_calls');
  };

it('runs neighbouring reads side by side: four that wait for each other all end (A4)', async () => {
  const { tool, most } = meeting('read', 4);
  await using house = await startEngine({ stream: calling('meet_read', 4), tools: [tool] });
  const session = await house.session();
  await house.send(session.id, 'meet');
  expect((await house.ended(session.id)).status).toBe('done');
  expect(most()).toBe(4);
});

it('runs changes one after the other (A4)', async () => {
  const { tool, most } = meeting('write', 1);
  await using house = await startEngine({ stream: calling('meet_write', 4), tools: [tool] });
  const session = await house.session();
  await house.send(session.id, 'meet');
  expect((await house.ended(session.id)).status).toBe('done');
  expect(most()).toBe(1);
});
