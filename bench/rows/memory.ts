import { megabytes, type Row } from '../row.ts';
import { startHouse } from '../support/house.ts';
import { hasProc, pssOf } from '../support/machine.ts';
import { openSockets, streamThrough } from '../support/stream-round.ts';

const stream = { sessions: 50, tokens: 200, tokens_per_second: 50 };

/** What fifty streaming sessions leave in memory while their sockets are open. */
export const memory: Row = {
  name: 'memory',
  about: 'memory (Pss) of the server and all database processes, 50 sessions after streaming',
  quick: true,
  longest_s: 180,
  rounds: async function* (plan) {
    if (!hasProc) return;
    const rounds = plan.quick ? 1 : 3;
    for (let round = 0; round < rounds; round += 1) {
      await using house = await startHouse(plan);
      const empty = pssOf([house.server.pid, ...house.database()]);
      const sessions = await house.sessions(stream.sessions);
      const sockets = await openSockets(house, stream.sessions);
      for (let time = 0; time < 2; time += 1) await streamThrough(house, sessions, sockets, stream);
      const server = pssOf([house.server.pid]);
      const database = pssOf(house.database());
      for (const socket of sockets) socket.close();
      yield {
        'server and database': megabytes(server + database),
        server: megabytes(server),
        database: megabytes(database),
        'at start': megabytes(empty),
      };
    }
  },
};
