import type { ItemId } from '@maestro/protocol';
import { describe, expect, it } from 'vitest';
import { decide } from './turn-end.ts';

const call = { item_id: 'itm_1' as ItemId, call_id: 'a', name: 'read_file', input: {} };

describe('what follows a step (P10)', () => {
  it('runs the tools when there are calls, whatever stop word came', () => {
    for (const stop of ['tool_calls', 'end', 'other', 'max_output'] as const)
      expect(decide({ type: 'answered', calls: [call], stop })).toEqual({ type: 'tools' });
  });
  it('ends when there are none', () => {
    expect(decide({ type: 'answered', calls: [], stop: 'end' })).toMatchObject({
      type: 'end',
      end: { status: 'done' },
    });
  });
  it('goes on after a pause', () => {
    expect(decide({ type: 'answered', calls: [], stop: 'pause' })).toEqual({ type: 'again' });
  });
  it('says that an answer was cut off or refused, and what to do', () => {
    expect(decide({ type: 'answered', calls: [], stop: 'max_output' })).toMatchObject({
      end: { status: 'failed', cause: 'max_output', remedy: expect.any(String) },
    });
    expect(decide({ type: 'answered', calls: [call], stop: 'refused' })).toMatchObject({
      end: { status: 'failed', cause: 'refused', remedy: expect.any(String) },
    });
  });
  it('tells a stop by the person from a failure', () => {
    expect(decide({ type: 'failed', error: { cause: 'aborted', message: 'Stopped.' } })).toMatchObject({
      end: { status: 'interrupted' },
    });
    expect(decide({ type: 'failed', error: { cause: 'cut', message: 'Cut.' } })).toMatchObject({
      end: { status: 'failed', cause: 'cut' },
    });
  });
});
