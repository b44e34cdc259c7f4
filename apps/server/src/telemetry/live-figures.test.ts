import type { ProviderEvent } from '@maestro/ports';
import { type Cause, newId, type SessionId, type TurnId } from '@maestro/protocol';
import { describe, expect, it } from 'vitest';
import { createLiveFigures } from './live-figures.ts';

const ids = { session_id: newId<SessionId>('ses'), turn_id: newId<TurnId>('trn') };
const call = { ...ids, provider: 'anthropic', model: 'm', base_url: 'https://x' } as const;
const turn = { ...ids, agent_name: 'a', provider: 'anthropic', model: 'm' } as const;
const run = { ...ids, call_id: 'c', name: 't' };
const failed = (cause: Cause, status?: number): ProviderEvent => ({
  type: 'error',
  error: { cause, message: '', ...(status !== undefined && { status }) },
  usage: null,
  response: null,
  exchange: null,
});

describe('live figures (Q5)', () => {
  it('are unknown, not zero, before anything happened', () => {
    expect(createLiveFigures().read()).toEqual({
      api_p95_ms: null,
      auth_success_rate: null,
      tool_success_rate: null,
      core_success_rate: null,
    });
  });

  it('give the p95 of the newest thousand answers', () => {
    const figures = createLiveFigures();
    const answer = (ms: number) =>
      figures.request({ method: 'GET', route: '/api/v1/server', status: 200, ms });
    for (let ms = 1; ms <= 100; ms += 1) answer(ms);
    expect(figures.read().api_p95_ms).toBe(95);
    for (let n = 0; n < 1000; n += 1) answer(7);
    expect(figures.read().api_p95_ms).toBe(7);
  });

  it('count a refused key against authentication, and not what never reached the vendor', () => {
    const figures = createLiveFigures();
    figures.providerCall(call)(failed('auth', 401));
    for (let n = 0; n < 3; n += 1) figures.providerCall(call)(failed('overloaded', 529));
    figures.providerCall(call)(failed('network'));
    figures.providerCall(call)(failed('aborted'));
    expect(figures.read().auth_success_rate).toBe(0.75);
  });

  it('count failed tools, and not stopped ones', () => {
    const figures = createLiveFigures();
    for (const status of ['done', 'done', 'failed', 'cancelled'] as const)
      figures.toolRun(run)({ status, error: null });
    expect(figures.read().tool_success_rate).toBe(0.6667);
  });

  it("count the server's own faults against its core, not a vendor's or a person's", () => {
    const figures = createLiveFigures();
    for (const cause of [null, 'auth', 'internal', 'aborted'] as const)
      figures.turn(turn)({ status: 'failed', cause, reason: null, steps: 1 });
    for (const status of [200, 404, 500, 503])
      figures.request({ method: 'GET', route: '/api/v1/server', status, ms: 1 });
    expect(figures.read().core_success_rate).toBe(0.625);
  });
});
