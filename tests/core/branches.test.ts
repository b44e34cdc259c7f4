import { connectLive, type SessionWatch } from '@maestro/client';
import type { ConversationId, Item, ItemId, SessionId, TurnId } from '@maestro/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type House, hasEnded, items, itemsOf, startHouse, until, wires } from '../support/house.ts';

/** What a branch shows: who said what, the answers in one word each. */
const told = (shown: readonly Item[]): string[] =>
  shown.flatMap((item) => {
    if (item.kind === 'user_message') return [item.data.text];
    if (item.kind === 'agent_message') return ['answer'];
    return item.kind === 'tool_call' ? [item.data.name] : [];
  });

describe('branches of a conversation (A17)', () => {
  let house: House;
  beforeAll(async () => {
    house = await startHouse();
  });
  afterAll(() => house[Symbol.asyncDispose]());

  const of = (session_id: SessionId) => ({ params: { session_id } });
  const active = async (id: SessionId): Promise<ConversationId> =>
    (await house.client.getSession(of(id))).session.conversation_id;
  const shown = async (id: SessionId): Promise<Item[]> => (await house.client.snapshot(of(id))).items;
  const message = (watch: SessionWatch, n: number): ItemId => {
    const found = itemsOf(watch, 'user_message')[n];
    if (!found) throw new Error(`There is no message ${n}.`);
    return found.id;
  };
  const ended = (watch: SessionWatch, turn_id: string) =>
    until(watch, () => watch.view?.turn?.id === turn_id && hasEnded(watch), 'the turn ends');

  it('answers the last message again, and keeps the first answer on its own branch', async () => {
    const session = await house.session();
    const watch = await house.ask(session.id, 'say hello');
    const before = await shown(session.id);
    const { turn_id, session: switched } = await house.client.retry(of(session.id));
    await ended(watch, turn_id);

    expect(told(items(watch))).toEqual(['say hello', 'answer']);
    expect(switched.conversation_id).not.toBe(session.conversation_id);
    expect(itemsOf(watch, 'user_message')[0]?.id).toBe(before[0]?.id);
    expect(itemsOf(watch, 'agent_message')[0]?.id).not.toBe(before.at(-1)?.id);
    const { conversations } = await house.client.listConversations(of(session.id));
    expect(
      conversations.map(({ id, parent_id, preview, active: isActive }) => ({
        id,
        parent_id,
        preview,
        isActive,
      })),
    ).toEqual([
      { id: session.conversation_id, parent_id: null, preview: 'say hello', isActive: false },
      {
        id: switched.conversation_id,
        parent_id: session.conversation_id,
        preview: 'hello',
        isActive: true,
      },
    ]);

    await house.client.activateConversation({
      ...of(session.id),
      body: { id: session.conversation_id },
    });
    const ids = before.map((item) => item.id).join();
    await until(watch, () => watch.view?.order.join() === ids, 'the first is back');
    expect(await shown(session.id)).toEqual(before);
    expect(items(watch)).toEqual(before);
    watch.close();
  });

  it('sends a message of the past in other words, also the very first', async () => {
    const session = await house.session();
    const watch = await house.ask(session.id, 'say one');
    await house.ask(session.id, 'say two');
    for (const [n, text, expected] of [
      [1, 'say second', ['say one', 'answer', 'say second', 'answer']],
      [0, 'say first', ['say first', 'answer']],
    ] as const) {
      const { turn_id, item } = await house.client.editMessage({
        ...of(session.id),
        body: { item_id: message(watch, n), text },
      });
      await ended(watch, turn_id);
      expect(told(items(watch))).toEqual(expected);
      expect(itemsOf(watch, 'user_message').at(-1)?.id).toBe(item.id);
    }
    const { conversations } = await house.client.listConversations(of(session.id));
    expect(conversations.map((each) => each.preview)).toEqual(['say one', 'say second', 'say first']);
    watch.close();
  });

  it.each(wires)(
    '$provider takes the history of a branch that was forked inside a turn with tools',
    async (wire) => {
      const working_directory = house.folder({ 'input.txt': 'abc' });
      const session = await house.session({ ...wire, working_directory });
      const watch = await house.ask(session.id, 'read input.txt and write its upper case to out.txt');
      const call = itemsOf(watch, 'tool_call')[0];
      await house.client.fork({ ...of(session.id), body: { at_item: call?.id } });
      await until(watch, () => itemsOf(watch, 'tool_call').length === 1, 'the fork is shown');
      expect(told(items(watch)).filter((each) => each !== 'answer')).toEqual([
        'read input.txt and write its upper case to out.txt',
        'read_file',
      ]);
      await house.ask(session.id, 'say thanks');
      const { turn_id } = await house.client.retry(of(session.id));
      await ended(watch, turn_id);
      expect(watch.view?.turn?.status).toBe('done');
      const refused = house.simulator.requests.filter((request) => (request.status ?? 0) >= 400);
      expect(refused.map((request) => request.user_text)).toEqual([]);
      watch.close();
    },
  );

  it('goes back and forth, each branch going on from where it stood, and bills nothing twice', async () => {
    const session = await house.session();
    const first = session.conversation_id;
    const watch = await house.ask(session.id, 'say one');
    await house.ask(session.id, 'say two');
    const { conversation } = await house.client.fork({
      ...of(session.id),
      body: { at_item: message(watch, 0) },
    });
    await house.ask(session.id, 'say left');
    await house.client.activateConversation({ ...of(session.id), body: { id: first } });
    await house.ask(session.id, 'say right');
    const right = ['say one', 'answer', 'say two', 'answer', 'say right', 'answer'];
    const left = ['say one', 'say left', 'answer'];
    const told_to = (text: string) =>
      house.simulator.requests.findLast((request) => request.user_text === text)?.body.toString('utf8') ?? '';
    expect(told(await shown(session.id))).toEqual(right);
    await house.client.activateConversation({ ...of(session.id), body: { id: conversation.id } });
    expect(told(await shown(session.id))).toEqual(left);
    expect(told_to('say right')).toContain('say two');
    expect(told_to('say right')).not.toContain('say left');
    expect(told_to('say left')).not.toContain('say two');

    const { totals } = await house.client.sessionUsage(of(session.id));
    expect(totals.calls).toBe(4);
    expect((await house.client.getSession(of(session.id))).session.totals).toEqual(totals);
    watch.close();
  });

  it('brings a client that was away to the right branch', async () => {
    const session = await house.session();
    const { url, token } = house.server;
    const sockets: WebSocket[] = [];
    const frames: string[] = [];
    let away = false;
    const live = connectLive({
      client: house.client,
      base_url: url,
      token,
      name: 'traveller',
      times: { first: 5, longest: 20 },
      socket: (address, bearer) => {
        const ws = new WebSocket(away ? 'ws://127.0.0.1:1' : address, {
          headers: { authorization: `Bearer ${bearer}` },
        });
        ws.on('message', (data) => frames.push(String(data)));
        sockets.push(ws);
        return ws;
      },
    });
    const traveller = live.watchSession(session.id);
    const home = await house.ask(session.id, 'say one');
    await until(traveller, () => hasEnded(traveller), 'the traveller saw the answer');
    away = true;
    for (const ws of sockets) ws.terminate();
    await until(traveller, () => traveller.state.value.type === 'stale', 'the traveller is away');
    const { turn_id } = await house.client.editMessage({
      ...of(session.id),
      body: { item_id: message(home, 0), text: 'say other' },
    });
    await ended(home, turn_id);
    away = false;
    await until(traveller, () => told(items(traveller))[0] === 'say other', 'the traveller is on the branch');
    expect(items(traveller)).toEqual(items(home));
    expect(frames.filter((frame) => frame.includes('"reset"')).map((frame) => JSON.parse(frame))).toEqual([
      { op: 'reset', stream: `session:${session.id}`, reason: 'branch' },
    ]);
    live.close();
    home.close();
  });

  it('is done once when a command is repeated with its id: while it works, afterwards, and from another branch', async () => {
    const session = await house.session();
    const watch = await house.ask(session.id, 'say one');
    const item_id = message(watch, 0);
    const ids = { fork: 'con_mine', retry: 'trn_mine', edit: 'itm_mine' };
    const make = {
      fork: () => house.client.fork({ ...of(session.id), body: { id: ids.fork as ConversationId } }),
      retry: () => house.client.retry({ ...of(session.id), body: { id: ids.retry as TurnId } }),
      edit: (text: string) =>
        house.client.editMessage({ ...of(session.id), body: { id: ids.edit as ItemId, item_id, text } }),
    };
    const forked = await make.fork();
    expect(forked.conversation.id).toBe(ids.fork);
    const retried = await make.retry();
    expect(await make.retry()).toMatchObject({ turn_id: retried.turn_id });
    await ended(watch, ids.retry);
    const edited = await make.edit('write 40 words at 60 tokens per second');
    await until(watch, () => watch.view?.turn?.id === edited.turn_id, 'it works');
    expect(hasEnded(watch)).toBe(false);
    expect(await make.edit('other words')).toMatchObject({ item: edited.item, turn_id: edited.turn_id });
    expect((await make.fork()).conversation).toEqual({ ...forked.conversation, active: false });
    expect(await make.retry()).toMatchObject({ turn_id: retried.turn_id });
    await ended(watch, edited.turn_id);
    await house.client.activateConversation({ ...of(session.id), body: { id: session.conversation_id } });
    expect((await make.retry()).session.conversation_id).toBe(session.conversation_id);
    expect(await make.edit('other words')).toMatchObject({ item: edited.item });

    const { conversations } = await house.client.listConversations(of(session.id));
    expect(conversations).toHaveLength(4);
    expect((await house.client.sessionUsage(of(session.id))).totals.calls).toBe(3);
    watch.close();
  });

  it('refuses an id that is taken by something else', async () => {
    const [first, second] = [await house.session(), await house.session()];
    const watch = await house.ask(first.id, 'say one');
    (await house.ask(second.id, 'say two')).close();
    const [asked, answer] = items(watch);
    const turn = watch.view?.turn?.id;
    if (!asked || !answer || !turn) throw new Error('nothing was said');
    const taken = { status: 409, code: 'conflict', field: 'body.id' };
    for (const refused of [
      () => house.client.fork({ ...of(second.id), body: { id: first.conversation_id } }),
      () => house.client.retry({ ...of(second.id), body: { id: turn } }),
      () =>
        house.client.editMessage({
          ...of(first.id),
          body: { id: answer.id, item_id: asked.id, text: 'say three' },
        }),
      () => house.client.sendMessage({ ...of(first.id), body: { id: answer.id, text: 'say three' } }),
    ])
      await expect(refused()).rejects.toMatchObject(taken);
    watch.close();
  });

  it('answers the message that a fork ended with on that branch, once', async () => {
    const session = await house.session();
    const watch = await house.ask(session.id, 'say one');
    (await house.ask(session.id, 'say two')).close();
    await house.client.fork({ ...of(session.id), body: { at_item: message(watch, 0) } });
    const branch = await active(session.id);
    expect(told(await shown(session.id))).toEqual(['say one']);
    const body = { id: 'trn_answer' as TurnId };
    const { turn_id, session: now } = await house.client.retry({ ...of(session.id), body });
    expect(now).toMatchObject({ conversation_id: branch, status: 'running' });
    expect(await house.client.retry({ ...of(session.id), body })).toMatchObject({ turn_id });
    await ended(watch, turn_id);
    expect(told(await shown(session.id))).toEqual(['say one', 'answer']);
    expect((await house.client.listConversations(of(session.id))).conversations).toHaveLength(2);
    expect((await house.client.sessionUsage(of(session.id))).totals.calls).toBe(3);

    await house.client.activateConversation({ ...of(session.id), body: { id: session.conversation_id } });
    expect(told(await shown(session.id))).toEqual(['say one', 'answer', 'say two', 'answer']);
    await house.client.activateConversation({ ...of(session.id), body: { id: branch } });
    const again = await house.client.retry(of(session.id));
    expect(again.session.conversation_id).not.toBe(branch);
    await ended(watch, again.turn_id);
    watch.close();
  });

  it('resumes a turn that it shares as one of its own: the branch where it failed stays as it was', async () => {
    const session = await house.session();
    const status = async () => {
      const [now, { sessions }] = await Promise.all([
        house.client.snapshot(of(session.id)),
        house.client.listSessions(),
      ]);
      const card = sessions.find((each) => each.id === session.id);
      expect(card?.status).toBe(now.session.status);
      return [now.session.status, now.turn?.status];
    };
    const watch = await house.ask(session.id, 'say one');
    (await house.ask(session.id, 'fail with 400')).close();
    const failed = watch.view?.turn?.id;
    const first = await shown(session.id);
    expect(await status()).toEqual(['failed', 'failed']);

    await house.client.fork({ ...of(session.id), body: { at_item: message(watch, 0) } });
    expect(await status()).toEqual(['idle', 'done']);
    await house.client.activateConversation({ ...of(session.id), body: { id: session.conversation_id } });
    expect(await status()).toEqual(['failed', 'failed']);

    await house.client.fork({ ...of(session.id), body: {} });
    expect(await status()).toEqual(['failed', 'failed']);
    house.simulator.script([{ steps: [{ type: 'text', text: 'now it works' }] }], {
      contains: 'fail with 400',
    });
    const { turn_id } = await house.client.resume(of(session.id));
    await ended(watch, turn_id);
    expect(turn_id).not.toBe(failed);
    expect(await status()).toEqual(['idle', 'done']);
    expect((await shown(session.id)).slice(0, first.length)).toEqual(first);

    await house.client.activateConversation({ ...of(session.id), body: { id: session.conversation_id } });
    expect(await status()).toEqual(['failed', 'failed']);
    expect(await shown(session.id)).toEqual(first);
    expect(await house.client.resume(of(session.id))).toEqual({ turn_id: failed });
    await until(
      watch,
      () => items(watch).length > first.length && hasEnded(watch, failed),
      'it was tried again there',
    );
    watch.close();
  });

  it('changes nothing when the branch that is open is opened again', async () => {
    const session = await house.session();
    const watch = await house.ask(session.id, 'say one');
    const before = await house.client.snapshot(of(session.id));
    await house.client.activateConversation({ ...of(session.id), body: { id: session.conversation_id } });
    expect((await house.client.snapshot(of(session.id))).seq).toBe(before.seq);
    watch.close();
  });

  it('is refused in words while the session works, for items of other branches and where there is nothing', async () => {
    const session = await house.session();
    const none = { status: 409, code: 'conflict' };
    await expect(house.client.retry(of(session.id))).rejects.toMatchObject(none);
    const watch = await house.ask(session.id, 'say one');
    const second = message(await house.ask(session.id, 'say two'), 1);
    const at_item = message(watch, 0);
    await house.client.fork({ ...of(session.id), body: { at_item } });
    const missing = { status: 404, code: 'not_found' };
    for (const refused of [
      () => house.client.fork({ ...of(session.id), body: { at_item: second } }),
      () => house.client.editMessage({ ...of(session.id), body: { item_id: second, text: 'x' } }),
      () =>
        house.client.activateConversation({
          ...of(session.id),
          body: { id: 'con_none' as ConversationId },
        }),
    ])
      await expect(refused()).rejects.toMatchObject(missing);
    const stood = await active(session.id);

    await house.client.sendMessage({
      ...of(session.id),
      body: { text: 'write 400 words at 50 tokens per second' },
    });
    await until(watch, () => watch.view?.turn?.status === 'running', 'it works');
    const busy = { code: 'busy' };
    await expect(house.client.retry(of(session.id))).rejects.toMatchObject(busy);
    await expect(house.client.fork({ ...of(session.id), body: {} })).rejects.toMatchObject(busy);
    await house.client.interrupt(of(session.id));
    expect(await active(session.id)).toBe(stood);
    watch.close();
  });
});
