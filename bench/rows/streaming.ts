import { count, type Figures, ms, msPerToken, type Row, type Sample } from '../row.ts';
import { startHouse } from '../support/house.ts';
import { openSockets, type Stream, streamDirect, streamThrough } from '../support/stream-round.ts';

const sizes = { full: [1, 10, 20, 50], quick: [1, 50] };

/** Fan-out: each session streams 50 tokens a second, to a socket of its own and to one for all. */
export const streaming: Row = {
  name: 'streaming',
  about: 'provider chunk → client at 50 tokens/s a session: latency, first token, CPU, frames',
  quick: true,
  longest_s: 400,
  rounds: async function* (plan) {
    await using house = await startHouse(plan);
    const sessions = await house.sessions(50);
    const rounds = plan.quick ? 2 : 4;
    for (let round = 0; round < rounds; round += 1) {
      const figures: Record<string, Sample> = {};
      for (const size of plan.quick ? sizes.quick : sizes.full) {
        const stream: Stream = {
          sessions: size,
          tokens: plan.quick || round === 0 ? 100 : 200,
          tokens_per_second: 50,
        };
        const floor = await streamDirect(house, stream);
        for (const [way, sockets] of [
          ['each', await openSockets(house, size)],
          ['shared', await openSockets(house, 1)],
        ] as const) {
          if (size === 1 && way === 'shared') {
            sockets[0]?.close();
            continue;
          }
          const got = await streamThrough(house, sessions.slice(0, size), sockets, stream);
          for (const socket of sockets) socket.close();
          const label = `${size} ${way}`;
          figures[`${label} p50`] = ms(got.p50, floor.p50);
          figures[`${label} p95`] = ms(got.p95, floor.p95);
          figures[`${label} p99`] = ms(got.p99, floor.p99);
          figures[`${label} max`] = ms(got.max, floor.max);
          figures[`${label} first token p50`] = ms(got.first_p50, floor.first_p50);
          figures[`${label} last prompt`] = ms(got.last_prompt, floor.last_prompt);
          figures[`${label} CPU server`] = msPerToken(got.server_ms_per_token);
          figures[`${label} CPU database`] = msPerToken(got.database_ms_per_token);
          figures[`${label} CPU`] = msPerToken(got.server_ms_per_token + got.database_ms_per_token);
          figures[`${label} frames`] = count(got.frames);
        }
      }
      // The first round warms up.
      if (round > 0) yield figures satisfies Figures;
    }
  },
};
