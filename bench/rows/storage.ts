import { megabytes, ms, type Row } from '../row.ts';
import { openDatabase } from '../support/history.ts';
import { startHouse } from '../support/house.ts';
import { LiveSocket } from '../support/live-socket.ts';
import { prose } from '../support/prose.ts';
import { median } from '../support/statistics.ts';

const TURNS = 500;
/** 500 questions and 500 answers of 800 characters are about 200,000 tokens. */
const CHARACTERS = 800;

/** 1,000 messages in one session, the whole context sent with each: what the database keeps of it. */
export const storage: Row = {
  name: 'storage',
  about: 'growth of the database over 1,000 messages, the context growing to 200,000 tokens',
  quick: false,
  longest_s: 420,
  rounds: async function* (plan) {
    await using house = await startHouse(plan);
    await house.vendor.configure({ context_tokens: 2_000_000 });
    const socket = await LiveSocket.open(house);
    const { id } = await house.session();
    const heard = await socket.follow(id);
    const db = await openDatabase(house);
    const size = async (): Promise<number> => {
      await db.query('vacuum');
      await db.query('checkpoint');
      const { rows } = await db.query<{ size: string }>(
        'select pg_database_size(current_database()) as size',
      );
      return Number(rows[0]?.size) / 1e6;
    };
    const before = await size();
    let sent = 0;
    const took: number[] = [];
    for (let turn = 0; turn < TURNS; turn += 1) {
      await house.vendor.script([{ steps: [{ type: 'text', text: prose(`answer ${turn}`, CHARACTERS) }] }]);
      const from = performance.now();
      await house.client.sendMessage({
        params: { session_id: id },
        body: { text: prose(`question ${turn}`, CHARACTERS) },
      });
      await socket.until(() => heard.ended > turn, 'sees the end of a turn');
      took.push(performance.now() - from);
      heard.stamps.ages.length = 0;
      sent += 2 * CHARACTERS * (turn + 1);
    }
    const after = await size();
    await db.end();
    socket.close();
    yield {
      'per 1,000 messages': megabytes(after - before, (2 * TURNS * CHARACTERS) / 1e6),
      'requests sent': megabytes(sent / 1e6),
      'turn p50, first 50': ms(median(took.slice(0, 50))),
      'turn p50, last 50': ms(median(took.slice(-50))),
    };
  },
};
