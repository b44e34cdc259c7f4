import { setTimeout as wait } from 'node:timers/promises';
import { ApiFailure, type Client } from '@maestro/client';
import type { Item, Session, SessionId } from '@maestro/protocol';
import type { Place } from './place.ts';
import type { Promised } from './worker.ts';

/** How long everything may take to come to rest once nobody sends any more. */
const rest_ms = 60_000;
const poll_ms = 100;
const open: readonly Item['status'][] = ['streaming', 'running', 'pending', 'queued'];

/** What was found wrong; each in words. */
export interface Findings {
  readonly lost: string[];
  readonly doubled: string[];
  readonly spinners: string[];
  readonly refused: string[];
}

export const noFindings = (): Findings => ({ lost: [], doubled: [], spinners: [], refused: [] });

/** Asks again while the server or its database is on its way back. */
export const patiently = async <T>(ask: () => Promise<T>): Promise<T> => {
  const deadline = performance.now() + rest_ms;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      const passing = error instanceof ApiFailure && (error.status === 0 || error.status === 503);
      if (!passing || performance.now() > deadline) throw error;
      await wait(poll_ms);
    }
  }
};

const isResting = (session: Session): boolean => session.status === 'idle' || session.status === 'failed';

/** A turn that is done may be followed by the next one: what rests, rests a while. */
const still_ms = 400;

/** Waits until no session works; those that go on for ever are spinners. */
export const comeToRest = async (
  client: Client,
  promised: readonly Promised[],
  findings: Findings,
): Promise<void> => {
  const deadline = performance.now() + rest_ms;
  for (let waited = true; waited; ) {
    waited = false;
    for (const { id } of promised) {
      for (;;) {
        const { session } = await patiently(() => client.getSession({ params: { session_id: id } }));
        if (isResting(session)) break;
        if (performance.now() > deadline) {
          findings.spinners.push(`${id} stays ${session.status} (${session.waiting_for})`);
          break;
        }
        waited = performance.now() < deadline;
        await wait(poll_ms);
      }
    }
    await wait(still_ms);
  }
};

/** Lets a session finish what was interrupted and what waits. */
export const finish = async (client: Client, promised: Promised): Promise<void> => {
  const params = { session_id: promised.id };
  const deadline = performance.now() + rest_ms;
  while (performance.now() < deadline) {
    const { turn, queue, session } = await patiently(() => client.snapshot({ params, query: { tail: 1 } }));
    if (isResting(session)) {
      const [first] = queue;
      if (turn && turn.status !== 'done')
        await patiently(() => client.resume({ params })).catch(unlessMeanwhile);
      else if (first)
        await patiently(() =>
          client.patchQueued({ params: { ...params, id: first.id }, body: { deliver: 'now' } }),
        ).catch(unlessMeanwhile);
      else return;
    }
    await wait(poll_ms);
  }
};

const unlessMeanwhile = (error: unknown): void => {
  if (!(error instanceof ApiFailure && [404, 409].includes(error.status))) throw error;
};

/** Compares what is stored with what was promised. */
export const compare = async (client: Client, promised: Promised, findings: Findings): Promise<void> => {
  const params = { session_id: promised.id };
  const stored = new Map((await allItems(client, promised.id)).map((item) => [item.id, item]));
  const { queue } = await client.getQueue({ params });
  const texts = [...stored.values()].flatMap((item) =>
    item.kind === 'user_message' ? [item.data.text] : [],
  );
  for (const [id, word] of promised.acknowledged) {
    const times = [...texts, ...queue.map((entry) => entry.text)].filter((text) =>
      text.endsWith(word),
    ).length;
    if (times === 0) findings.lost.push(`${promised.id}: message ${id} (${word})`);
    if (times > 1) findings.doubled.push(`${promised.id}: message ${id} (${word}) ${times} times`);
  }
  for (const [id, data] of promised.settled) {
    const item = stored.get(id);
    if (!item) findings.lost.push(`${promised.id}: item ${id} was seen: ${data.slice(0, 200)}`);
    else if (JSON.stringify(item.data) !== data)
      findings.lost.push(
        `${promised.id}: item ${id} was ${data.slice(0, 300)} and is ${JSON.stringify(item.data).slice(0, 300)}`,
      );
  }
  const { session, turn } = await client.snapshot({ params, query: { tail: 1 } });
  for (const item of stored.values())
    if (open.includes(item.status))
      findings.spinners.push(`${promised.id}: ${item.kind} ${item.id} stays ${item.status}`);
  if (turn?.status === 'running' || turn?.status === 'waiting' || !isResting(session))
    findings.spinners.push(`${promised.id}: turn ${turn?.status}, session ${session.status}`);
  await compareSent(client, promised, findings);
};

/** What the model is told: each message once, in its history too. */
const compareSent = async (client: Client, promised: Promised, findings: Findings): Promise<void> => {
  const said: string[] = [];
  for (let before: number | undefined; ; ) {
    const page = await client.listMessages({
      params: { session_id: promised.id },
      query: { limit: 200, ...(before === undefined ? {} : { before }) },
    });
    for (const message of page.messages)
      if (message.role === 'user') said.push(JSON.stringify(message.content));
    if (page.next === null) break;
    before = page.next;
  }
  for (const [id, word] of promised.acknowledged) {
    const times = said.filter((content) => content.includes(`${word}"`)).length;
    if (times > 1) findings.doubled.push(`${promised.id}: row of message ${id} (${word}) ${times} times`);
  }
};

const allItems = async (client: Client, id: SessionId): Promise<Item[]> => {
  const all: Item[] = [];
  for (let after = -1; ; ) {
    const query = { limit: 500, ...(after < 0 ? { after: 0 } : { after }) };
    const page = await client.listItems({ params: { session_id: id }, query });
    all.push(...page.items);
    const last = page.items.at(-1);
    if (!page.has_more || !last) return all;
    after = last.position;
  }
};

interface Seen {
  readonly number: number;
  readonly refused: string | null;
  readonly url: string;
}

/** Histories that the vendors' stand-in refused since request `after`; answers the last request's number. */
export const compareRequests = async (place: Place, after: number, findings: Findings): Promise<number> => {
  const { requests } = await place.control<{ requests: Seen[] }>(`requests?after=${after}`);
  for (const request of requests)
    if (request.refused !== null) findings.refused.push(`${request.url}: ${request.refused}`);
  return requests.at(-1)?.number ?? after;
};
