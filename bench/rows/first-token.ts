import { ms, type Row } from '../row.ts';
import { startHouse } from '../support/house.ts';
import { median, quantile } from '../support/statistics.ts';
import { openSockets, streamDirect, streamThrough } from '../support/stream-round.ts';

const stream = { sessions: 1, tokens: 3, tokens_per_second: 50 };
const PROMPTS = 20;

/** One person, one agent, a quiet server. */
export const firstToken: Row = {
  name: 'first-token',
  about: 'first token of a lone session, from the provider writing it to the client having it',
  quick: true,
  longest_s: 120,
  rounds: async function* (plan) {
    await using house = await startHouse(plan);
    const sessions = await house.sessions(1);
    const sockets = await openSockets(house, 1);
    const rounds = plan.quick ? 3 : 5;
    for (let round = 0; round <= rounds; round += 1) {
      const ours: { first_p50: number; last_prompt: number }[] = [];
      const floor: typeof ours = [];
      for (let prompt = 0; prompt < PROMPTS; prompt += 1) {
        floor.push(await streamDirect(house, stream));
        ours.push(await streamThrough(house, sessions, sockets, stream));
      }
      const of = (all: typeof ours) => all.map(({ first_p50 }) => first_p50);
      const sent = (all: typeof ours) => all.map(({ last_prompt }) => last_prompt);
      if (round > 0)
        yield {
          p50: ms(median(of(ours)), median(of(floor))),
          p95: ms(quantile(of(ours), 0.95), quantile(of(floor), 0.95)),
          'prompt → provider p50': ms(median(sent(ours)), median(sent(floor))),
        };
    }
    for (const socket of sockets) socket.close();
  },
};
