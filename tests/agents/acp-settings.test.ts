import type { AgentEvent } from '@maestro/ports';
import type { SessionId } from '@maestro/protocol';
import { describe, expect, it } from 'vitest';
import { heard, says, startBench, turn } from './support/acp-bench.ts';

const notices = (events: readonly AgentEvent[]): string[] =>
  events.flatMap((event) => (event.type === 'notice' ? [event.text] : []));

describe('what the session says holds for an ACP agent (P15, A4)', () => {
  it('is told other instructions when the session has others, also in a new process', async () => {
    await using bench = await startBench();
    const one = await turn(bench, { history: [says('hello')] });
    const request = { system: 'Be loud.' };
    const two = await turn(bench, { history: [says('hello'), heard(one), says('and now')], request });
    const block = { type: 'text', text: '<instructions>\nBe loud.\n</instructions>' };
    expect(bench.asked('session/prompt').at(-1)?.params['prompt']).toContainEqual(block);
    await bench.acp.release('ses_1' as SessionId);
    await turn(bench, { history: [says('hello'), heard(two), says('once more')], request });
    expect(bench.asked('session/prompt').at(-1)?.params['prompt']).toEqual([
      { type: 'text', text: 'once more' },
    ]);
  });

  it('has its mode set where it offers it as one of its options', async () => {
    await using bench = await startBench(['--new-modes']);
    const events = await turn(bench, { history: [says('hello')], request: { access: 'read_only' } });
    expect(bench.asked('session/set_config_option')).toMatchObject([
      { params: { configId: 'how', value: 'plan' } },
    ]);
    expect(notices(events)).toEqual([]);
  });

  it('without a mode that only reads says so in a session that is read-only, once', async () => {
    await using bench = await startBench(['--plain']);
    const request = { access: 'read_only' } as const;
    const one = await turn(bench, { history: [says('hello')], request });
    const two = await turn(bench, { history: [says('hello'), heard(one), says('and now')], request });
    expect(notices(one)).toEqual([expect.stringContaining('without asking is not held back')]);
    expect(notices(two)).toEqual([]);
  });

  it('is put back into the mode of the access mode when it has left that by itself', async () => {
    await using bench = await startBench();
    const request = { access: 'read_only' } as const;
    const one = await turn(bench, { history: [says('leave_plan')], request });
    await turn(bench, { history: [says('leave_plan'), heard(one), says('and now')], request });
    const modes = bench.asked('session/set_mode').map(({ params }) => params['modeId']);
    expect(modes).toEqual(['plan', 'plan']);
  });
});
