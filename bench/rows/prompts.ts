import { ms, type Row } from '../row.ts';
import { startHouse } from '../support/house.ts';
import { openSockets, streamDirect, streamThrough } from '../support/stream-round.ts';

const stream = { sessions: 50, tokens: 5, tokens_per_second: 50 };

/** Fifty people press Enter in the same moment. */
export const prompts: Row = {
  name: 'prompts',
  about: 'fifty prompts at once: when the last one reaches the provider (warm server)',
  quick: true,
  longest_s: 120,
  rounds: async function* (plan) {
    await using house = await startHouse(plan);
    const sessions = await house.sessions(stream.sessions);
    const sockets = await openSockets(house, stream.sessions);
    const rounds = plan.quick ? 8 : 14;
    for (let round = 0; round < rounds; round += 1) {
      const floor = await streamDirect(house, stream);
      const got = await streamThrough(house, sessions, sockets, stream);
      // A fresh process has neither compiled code nor open connections.
      if (round >= 3)
        yield {
          'last of 50 at the provider': ms(got.last_prompt, floor.last_prompt),
          'first token p50 of 50': ms(got.first_p50, floor.first_p50),
        };
    }
    for (const socket of sockets) socket.close();
  },
};
