import type { SessionWatch } from '@maestro/client';
import { ApiFailure } from '@maestro/client';
import { type Item, type ItemId, newId, type QueueId } from '@maestro/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type House, items, startHouse, until, wires } from '../support/house.ts';

const open: readonly Item['status'][] = ['streaming', 'running', 'pending', 'queued'];
const steps = 60;

/** The same sequence on every run: a fault can be met again. */
const seeded = (seed: number) => () => {
  seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
  return seed / 0x7fffffff;
};

/**
 * What a command may be answered with besides success, and is told so: it came at the wrong moment, or (503) the database
 * took longer than a command waits for it, as on a busy machine; then it may have been done or not.
 */
const untimely = [404, 409, 503];

describe('commands in any order, many at once (S4, S9, A2, A4, Q2)', () => {
  let house: House;
  beforeAll(async () => {
    house = await startHouse();
    house.simulator.configure({ tokens_per_second: 400 });
  });
  afterAll(() => house[Symbol.asyncDispose]());

  it.each([1, 2, 3])(
    'leave no spinner, lose and double no message, send no broken history (seed %i)',
    async (seed) => {
      const random = seeded(seed);
      const sessions = await Promise.all(
        wires.map(({ provider, model }, n) =>
          house.session({
            provider,
            model,
            access_mode: n % 2 === 0 ? 'ask' : 'full',
            working_directory: house.folder({ 'input.txt': 'some words' }),
          }),
        ),
      );
      const watches = sessions.map((session) => house.live.watchSession(session.id));
      for (const watch of watches) await until(watch, () => watch.state.value.type === 'live', 'it is live');
      /** Words of the messages that were acknowledged and not taken back, by session. */
      const kept = new Map<string, Set<string>>(watches.map((watch) => [watch.id, new Set()]));
      /** Words of the messages that somebody took back, or may have: also before their sender had an answer. */
      const takenBack = new Set<string>();
      const edited = new Map<string, Set<string>>(watches.map((watch) => [watch.id, new Set()]));
      let sent = 0;

      const command = async (watch: SessionWatch, chance: number): Promise<void> => {
        const params = { session_id: watch.id };
        const waiting = watch.view?.queue ?? [];
        const entry = waiting[Math.floor(random() * waiting.length)];
        if (chance < 0.4) {
          sent += 1;
          const word = `word${seed}x${sent}x`;
          const id = newId<ItemId>('itm');
          const what = ['write 30 words about', 'say', 'read input.txt and write its upper case to out.txt'];
          const text = `${what[Math.floor(random() * what.length)]} ${word}`;
          const deliver = random() < 0.3 ? 'now' : 'queue';
          const body = { id, text, deliver } as const;
          // Twice at once, as a client does that was told nothing.
          const answers = random() < 0.3 ? 2 : 1;
          await Promise.all(
            Array.from({ length: answers }, () => house.client.sendMessage({ params, body })),
          );
          kept.get(watch.id)?.add(word);
        } else if (chance < 0.55) await house.client.interrupt({ params });
        else if (chance < 0.65) await house.client.resume({ params });
        else if (chance < 0.72 && entry)
          await house.client.patchQueued({
            params: { ...params, id: entry.id },
            body: random() < 0.5 ? { deliver: 'now' } : { index: 0 },
          });
        else if (chance < 0.78 && entry) {
          await house.client.patchQueued({
            params: { ...params, id: entry.id },
            body: { text: `${entry.text} edited` },
          });
          edited.get(watch.id)?.add(entry.id);
        } else if (chance < 0.84 && entry) await takeBack(watch, entry.id, entry.text);
        else if (chance < 0.94) {
          const question = items(watch).find((item) => item.kind === 'approval' && item.status === 'pending');
          const decisions = ['accept', 'accept_for_session', 'decline', 'cancel'] as const;
          const decision = decisions[Math.floor(random() * decisions.length)] ?? 'accept';
          if (question)
            await house.client.answer({ params: { ...params, item_id: question.id }, body: { decision } });
        } else await house.client.patchSession({ params, body: { title: `Title ${chance}` } });
      };
      const takeBack = async (watch: SessionWatch, id: QueueId, text: string): Promise<void> => {
        const word = /word\w+x/.exec(text)?.[0] ?? '';
        await house.client.deleteQueued({ params: { session_id: watch.id, id } }).catch((error: unknown) => {
          if (error instanceof ApiFailure && error.status === 503) takenBack.add(word);
          throw error;
        });
        takenBack.add(word);
      };

      /** Stops it, asking again while the database does not answer in time. */
      const atRest = (watch: SessionWatch): Promise<unknown> =>
        house.client.interrupt({ params: { session_id: watch.id } }).catch(async (error: unknown) => {
          if (!(error instanceof ApiFailure && error.status === 503)) throw error;
          await changed(watch);
          return atRest(watch);
        });

      await Promise.all(
        watches.flatMap((watch) =>
          // Three people at one session.
          Array.from({ length: 3 }, async () => {
            for (let step = 0; step < steps / 3; step += 1) {
              await command(watch, random()).catch((error: unknown) => {
                if (!(error instanceof ApiFailure && untimely.includes(error.status))) throw error;
              });
              if (random() < 0.5) await changed(watch);
            }
          }),
        ),
      );

      house.simulator.configure({ tokens_per_second: 0 });
      for (const watch of watches) {
        const params = { session_id: watch.id };
        await atRest(watch);
        // What the client holds may be older than what it was answered.
        const { seq } = await house.client.snapshot({ params, query: {} });
        await until(watch, () => (watch.view?.seq ?? 0) >= seq, 'it has seen the last change');
        expect(['idle', 'failed']).toContain(watch.view?.session.status);
        const { items: stored } = await house.client.listItems({ params, query: { limit: 500 } });
        const { queue } = await house.client.getQueue({ params });
        expect(stored.filter((item) => open.includes(item.status))).toEqual([]);
        expect(['done', 'failed', 'interrupted', undefined]).toContain(watch.view?.turn?.status);
        const texts = [
          ...stored.flatMap((item) => (item.kind === 'user_message' ? [item.data.text] : [])),
          ...queue.map((entry) => entry.text),
        ];
        for (const word of (kept.get(watch.id) ?? new Set()).difference(takenBack))
          expect(
            texts.filter((text) => text.includes(word)),
            `${word} of ${watch.id}`,
          ).toHaveLength(1);
        for (const id of edited.get(watch.id) ?? []) {
          const item = stored.find((each) => each.id === id);
          if (item?.kind === 'user_message') expect(item.data.text).toContain('edited');
        }
        expect(items(watch)).toEqual(stored);
      }
      const { sessions_running } = await house.client.serverStats();
      expect(sessions_running).toBe(0);
      expect(
        house.simulator.requests.filter((request) => request.refused).map((request) => request.refused),
      ).toEqual([]);
      house.simulator.configure({ tokens_per_second: 400 });
    },
  );

  it('ends a session that is deleted while it works, and takes nothing for it any more', async () => {
    const session = await house.session();
    const params = { session_id: session.id };
    await house.client.sendMessage({ params, body: { text: 'write 500 words at 50 tokens per second' } });
    const asked = (request: { user_text: string }) => request.user_text.startsWith('write 500 words');
    await house.simulator.waitFor(asked);
    const after = await Promise.allSettled([
      house.client.deleteSession({ params }),
      house.client.sendMessage({ params, body: { text: 'more' } }),
      house.client.interrupt({ params }),
      house.client.resume({ params }),
      house.client.patchSession({ params, body: { title: 'Another' } }),
    ]);
    expect(after[0]?.status).toBe('fulfilled');
    for (const each of after)
      if (each.status === 'rejected')
        expect([404, 409, 503]).toContain((each.reason as { status: number }).status);
    await expect(house.client.getSession({ params })).rejects.toMatchObject({ status: 404 });
    await expect(house.client.sendMessage({ params, body: { text: 'x' } })).rejects.toMatchObject({
      status: 404,
    });
    await house.simulator.waitFor((request) => asked(request) && request.ending === 'aborted');
    expect((await house.client.serverStats()).sessions_running).toBe(0);
  });
});

/** Resolves with the session's next change, or soon when there is none. */
const changed = (watch: SessionWatch): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      off();
      resolve();
    };
    const timer = setTimeout(done, 100);
    const off = watch.onChange(done);
  });
