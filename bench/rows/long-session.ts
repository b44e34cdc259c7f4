import { connectLive } from '@maestro/client';
import type { Session } from '@maestro/protocol';
import type pg from 'pg';
import { ms, type Row } from '../row.ts';
import { longSession, openDatabase } from '../support/history.ts';
import { type House, startHouse } from '../support/house.ts';
import { LiveSocket } from '../support/live-socket.ts';
import { promptToProvider, sendDirect } from '../support/prompt-time.ts';
import { median, quantile } from '../support/statistics.ts';

const ITEMS = 100_000;
const CATCH_UP = 500;

const timed = async (times: number, work: (time: number) => Promise<unknown>): Promise<number[]> => {
  const took: number[] = [];
  for (let time = 0; time < times; time += 1) {
    const from = performance.now();
    await work(time);
    took.push(performance.now() - from);
  }
  return took;
};

/** Opens a session as every client does, on its connection: until what is held is what the server holds. */
const open = async (live: ReturnType<typeof connectLive>, session: Session): Promise<void> => {
  const watch = live.watchSession(session.id);
  await new Promise<void>((resolve, reject) => {
    const stop = watch.state.listen((state) => {
      if (state.type === 'live') resolve();
      else if (state.type === 'failed' || state.type === 'gone')
        reject(new Error(`The session cannot be opened: ${state.type}`));
      if (state.type !== 'loading') stop();
    });
  });
  watch.close();
};

const openings = async (house: House, session: Session, times: number): Promise<number[]> => {
  const { client, server } = house;
  const live = connectLive({ client, base_url: server.url, token: server.token, name: 'maestro bench' });
  await new Promise<void>((resolve) => {
    live.state.listen((state) => {
      if (state.type === 'live') resolve();
    });
  });
  const took = await timed(times, () => open(live, session));
  live.close();
  return took;
};

/** Positions spread over the whole history, the same in every run. */
const somewhere = (time: number): number => 100 + ((time * 7919 * 13) % (ITEMS - 200));

const plain = (db: pg.Client, session: Session, where: string, values: number[], limit: number) =>
  db.query(
    `select id, position, seq, kind, status, title, data, created_at, updated_at from items
     where session_id = '${session.id}' and ${where} limit ${limit}`,
    values,
  );

/** Ten years of one session: opening it, paging in it, coming back to it, going on with it. */
export const longSessionRow: Row = {
  name: 'long-session',
  about: 'a session of 100,000 items (600 messages of context): open, page, catch up, prompt',
  quick: true,
  longest_s: 300,
  rounds: async function* (plan) {
    await using house = await startHouse(plan);
    await house.vendor.configure({ context_tokens: 2_000_000 });
    const session = await longSession(house, { items: ITEMS, messages: 600 });
    const db = await openDatabase(house);
    const socket = await LiveSocket.open(house);
    const n = plan.quick ? 40 : 100;
    const rounds = plan.quick ? 2 : 4;
    for (let round = 0; round <= rounds; round += 1) {
      const opened = await openings(house, session, 40);
      const tail = await timed(40, () => plain(db, session, 'true order by position desc', [], 61));
      const paged = await timed(n, (time) =>
        house.client.listItems({
          params: { session_id: session.id },
          query: { before: somewhere(time), limit: 60 },
        }),
      );
      const page = await timed(n, (time) =>
        plain(db, session, 'position < $1 order by position desc', [somewhere(time)], 61),
      );
      const { seq } = (await house.client.getSession({ params: { session_id: session.id } })).session;
      const caughtUp = await timed(n, () => socket.follow(session.id, seq - CATCH_UP));
      socket.unfollow(session.id);
      const rows = await timed(n, () =>
        plain(db, session, 'seq > $1 order by seq', [seq - CATCH_UP], CATCH_UP + 1),
      );
      const prompt = await promptToProvider(house, socket, session);
      const direct = await sendDirect(house, prompt.turns);
      if (round === 0) continue;
      yield {
        'open p50': ms(median(opened), median(tail)),
        'open p95': ms(quantile(opened, 0.95), quantile(tail, 0.95)),
        'history page p50': ms(median(paged), median(page)),
        'history page p95': ms(quantile(paged, 0.95), quantile(page, 0.95)),
        'catch-up of 500 p50': ms(median(caughtUp), median(rows)),
        'catch-up of 500 p95': ms(quantile(caughtUp, 0.95), quantile(rows, 0.95)),
        'prompt → provider': ms(prompt.took, direct),
      };
    }
    socket.close();
    await db.end();
  },
};
