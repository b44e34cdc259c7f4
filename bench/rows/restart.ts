import { ms, type Row, type Sample } from '../row.ts';
import { type House, startHouse } from '../support/house.ts';
import { isRunning } from '../support/machine.ts';
import { openSockets } from '../support/stream-round.ts';

const SESSIONS = 20;

/** Twenty sessions in the middle of an answer that would take much longer. */
const busy = async (house: House): Promise<void> => {
  const sessions = await house.sessions(SESSIONS);
  const [socket] = await openSockets(house, 1);
  if (!socket) throw new Error('There is no socket.');
  await house.vendor.forget();
  await house.vendor.script(
    sessions.map(() => ({ steps: [{ type: 'clock' as const, chunks: 3000 }], tokens_per_second: 50 })),
  );
  const heard = await Promise.all(sessions.map(({ id }) => socket.follow(id)));
  await Promise.all(
    sessions.map(({ id }) =>
      house.client.sendMessage({ params: { session_id: id }, body: { text: 'Go on and on.' } }),
    ),
  );
  await socket.until(() => heard.every(({ stamps }) => stamps.ages.length > 60), 'streams');
  socket.close();
};

/** No session may look as if it were still at work. */
const checkTruth = async (house: House): Promise<void> => {
  const { sessions } = await house.client.listSessions({ query: { limit: 200 } });
  const left = sessions.filter(({ status }) => status === 'running' || status === 'waiting');
  if (left.length > 0) throw new Error(`${left.length} sessions still run after the restart.`);
};

const kill = (pids: readonly number[]): void => {
  for (const pid of pids) if (isRunning(pid)) process.kill(pid, 'SIGKILL');
};

/** The server, and then the server and every process of its database, killed while 20 sessions stream. */
export const restart: Row = {
  name: 'restart',
  about: 'restart → ready after kill -9 with 20 sessions streaming: of the server; of server and database',
  quick: false,
  longest_s: 240,
  rounds: async function* (plan) {
    const rounds = plan.quick ? 1 : 4;
    await using house = await startHouse(plan);
    for (let round = 0; round < rounds; round += 1) {
      const figures: Record<string, Sample> = {};
      await busy(house);
      await house.server.kill('SIGKILL');
      figures['server killed'] = ms(await house.start());
      await checkTruth(house);

      await busy(house);
      const database = house.database();
      const ended = house.server.kill('SIGKILL');
      kill(database);
      await ended;
      figures['server and database killed'] = ms(await house.start());
      await checkTruth(house);
      yield figures;
    }
  },
};
