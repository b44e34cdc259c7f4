import { ms, msPerToken, type Row } from '../row.ts';
import { startHouse } from '../support/house.ts';
import { openSockets, streamThrough } from '../support/stream-round.ts';

const stream = { sessions: 20, tokens: 400, tokens_per_second: 100 };

/** The server's own measure, as the page shows it. */
export const eventLoop: Row = {
  name: 'event-loop',
  about: 'event-loop delay of the server with 20 sessions at 100 tokens/s, a socket each',
  quick: true,
  longest_s: 120,
  rounds: async function* (plan) {
    await using house = await startHouse(plan);
    const sessions = await house.sessions(stream.sessions);
    const sockets = await openSockets(house, stream.sessions);
    const rounds = plan.quick ? 2 : 4;
    for (let round = 0; round <= rounds; round += 1) {
      // Reading it starts the next measurement.
      const idle = await house.client.serverStats();
      const got = await streamThrough(house, sessions, sockets, stream);
      const busy = await house.client.serverStats();
      if (round > 0)
        yield {
          'delay p99': ms(busy.event_loop_p99_ms, idle.event_loop_p99_ms),
          CPU: msPerToken(got.server_ms_per_token + got.database_ms_per_token),
        };
    }
    for (const socket of sockets) socket.close();
  },
};
