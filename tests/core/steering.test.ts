import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ItemId } from '@maestro/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type House, hasEnded, items, itemsOf, startHouse, until } from '../support/house.ts';

describe('steering a session (A2, A4, S4, S9, P6, P13)', () => {
  let house: House;
  beforeAll(async () => {
    house = await startHouse();
  });
  afterAll(() => house[Symbol.asyncDispose]());
  const params = (session_id: string) => ({ session_id }) as { session_id: never };

  it('stops a stream at once, keeps what had arrived, closes the provider socket and goes on when resumed', async () => {
    const session = await house.session();
    const watch = house.live.watchSession(session.id);
    await house.client.sendMessage({
      params: params(session.id),
      body: { text: 'write 400 words at 50 tokens per second' },
    });
    await until(
      watch,
      () => (itemsOf(watch, 'agent_message')[0]?.data.text.length ?? 0) > 40,
      'text streams',
    );
    await house.client.interrupt({ params: params(session.id) });
    await until(watch, () => hasEnded(watch), 'the turn ends');
    const said = itemsOf(watch, 'agent_message')[0];
    expect(watch.view?.turn).toMatchObject({ status: 'interrupted', cause: 'aborted' });
    expect(said?.status).toBe('cancelled');
    expect(said?.data.text.length).toBeGreaterThan(40);
    await house.simulator.waitFor(
      (request) => request.user_text.startsWith('write 400 words') && request.ending === 'aborted',
    );

    await house.client.resume({ params: params(session.id) });
    await until(watch, () => watch.view?.turn?.status === 'running', 'it runs again');
    await house.client.interrupt({ params: params(session.id) });
    await until(watch, () => hasEnded(watch), 'the turn ends again');
    watch.close();
  });

  it('queues a message while a turn runs, lets it be edited and taken back, and delivers it after the turn', async () => {
    const session = await house.session();
    const watch = house.live.watchSession(session.id);
    const send = (text: string, id: string) =>
      house.client.sendMessage({ params: params(session.id), body: { text, id: id as ItemId } });
    await send('write 60 words at 100 tokens per second', 'itm_one');
    const first = await send('say second', 'itm_two');
    const again = await send('say second', 'itm_two');
    expect(again.queued).toEqual(first.queued);
    await send('say never', 'itm_three');
    await house.client.patchQueued({
      params: { ...params(session.id), id: 'itm_two' as never },
      body: { text: 'say changed' },
    });
    await house.client.deleteQueued({ params: { ...params(session.id), id: 'itm_three' as never } });
    await until(watch, () => watch.view?.queue.length === 1, 'the queue shows one');
    expect(watch.view?.queue[0]).toMatchObject({ id: 'itm_two', text: 'say changed' });
    await until(
      watch,
      () => itemsOf(watch, 'user_message').length === 2 && hasEnded(watch),
      'the queued message was answered',
    );
    expect(itemsOf(watch, 'user_message').map((item) => [item.id, item.data.text])).toEqual([
      ['itm_one', 'write 60 words at 100 tokens per second'],
      ['itm_two', 'say changed'],
    ]);
    expect(itemsOf(watch, 'agent_message').at(-1)?.data.text).toContain('changed');
    watch.close();
  });

  it('refuses a waiting message that says nothing any more, and keeps blanks around words (Q2)', async () => {
    const session = await house.session();
    const watch = house.live.watchSession(session.id);
    await house.client.sendMessage({
      params: params(session.id),
      body: { text: 'write 400 words at 50 tokens per second' },
    });
    await house.client.sendMessage({
      params: params(session.id),
      body: { text: 'say one', id: 'itm_blank' as ItemId },
    });
    const change = (text: string) =>
      house.client.patchQueued({
        params: { ...params(session.id), id: 'itm_blank' as never },
        body: { text },
      });
    await expect(change(' \n ')).rejects.toMatchObject({ status: 400, field: 'body.text' });
    expect((await change('  two\n')).queue[0]?.text).toBe('  two\n');
    await house.client.interrupt({ params: params(session.id) });
    await until(watch, () => hasEnded(watch), 'the turn ends');
    const item_id = itemsOf(watch, 'user_message')[0]?.id ?? ('' as ItemId);
    const edit = (text: string) =>
      house.client.editMessage({ params: params(session.id), body: { item_id, text } });
    await expect(edit(' \n ')).rejects.toMatchObject({ status: 400, field: 'body.text' });
    expect((await edit('  say three\n')).item.data).toEqual({ text: '  say three\n' });
    watch.close();
  });

  it('wakes an archived session by a message, an edit, a retry and a resume', async () => {
    const session = await house.session();
    const watch = await house.ask(session.id, 'say hello');
    const archived = async () => (await house.client.getSession({ params: params(session.id) })).session;
    const by = {
      message: () => house.client.sendMessage({ params: params(session.id), body: { text: 'say two' } }),
      edit: () =>
        house.client.editMessage({
          params: params(session.id),
          body: { item_id: itemsOf(watch, 'user_message')[0]?.id ?? ('' as ItemId), text: 'fail with 400' },
        }),
      resume: () => house.client.resume({ params: params(session.id) }),
      retry: () => house.client.retry({ params: params(session.id) }),
    };
    for (const wake of Object.values(by)) {
      await house.client.patchSession({ params: params(session.id), body: { archived: true } });
      expect((await archived()).archived_at).not.toBeNull();
      const before = watch.view?.turn?.seq ?? 0;
      await wake();
      expect((await archived()).archived_at).toBeNull();
      await until(watch, () => (watch.view?.turn?.seq ?? 0) > before && hasEnded(watch), 'the turn ends');
    }
    watch.close();
  });

  it('delivers a message sent now before the next step', async () => {
    const session = await house.session({ working_directory: house.folder({ 'input.txt': 'abc' }) });
    house.simulator.script(
      [
        {
          steps: [
            {
              type: 'tool_calls',
              calls: [{ name: 'run_shell_command', input: { command: 'echo started; cat gate' } }],
            },
          ],
        },
        { steps: [{ type: 'text', text: 'I heard you.' }] },
      ],
      { contains: 'hold the gate' },
    );
    const { execFileSync } = await import('node:child_process');
    const gate = join(session.working_directory, 'gate');
    execFileSync('mkfifo', [gate]);
    const watch = house.live.watchSession(session.id);
    await house.client.sendMessage({ params: params(session.id), body: { text: 'hold the gate' } });
    await until(
      watch,
      () => itemsOf(watch, 'tool_call')[0]?.data.stdout?.includes('started') === true,
      'the command runs, its output live',
    );
    await house.client.sendMessage({
      params: params(session.id),
      body: { text: 'one more thing', deliver: 'now' },
    });
    execFileSync('sh', ['-c', `echo open > '${gate}'`]);
    await until(watch, () => hasEnded(watch), 'the turn ends');
    expect(items(watch).map((item) => item.kind)).toEqual([
      'user_message',
      'tool_call',
      'user_message',
      'agent_message',
    ]);
    expect(new Set(items(watch).map((item) => item.turn_id)).size).toBe(1);
    const last = house.simulator.requests.filter((request) => request.json !== null).at(-1);
    expect(JSON.stringify(last?.json)).toContain('one more thing');
    watch.close();
  });

  it('is the same message when it is sent twice with one id', async () => {
    const session = await house.session();
    const body = { text: 'say hello', id: 'itm_same' as ItemId };
    const first = await house.client.sendMessage({ params: params(session.id), body });
    const second = await house.client.sendMessage({ params: params(session.id), body });
    expect(second.item?.id).toBe(first.item?.id);
    const watch = house.live.watchSession(session.id);
    await until(watch, () => hasEnded(watch), 'the turn ends');
    expect(itemsOf(watch, 'user_message')).toHaveLength(1);
    watch.close();
  });

  it('asks before a change in ask mode, and acts on each answer', async () => {
    const session = await house.session({
      access_mode: 'ask',
      working_directory: house.folder({ 'input.txt': 'abc' }),
    });
    const watch = house.live.watchSession(session.id);
    const answer = (decision: 'accept' | 'decline') => {
      const open = itemsOf(watch, 'approval').find((item) => item.status === 'pending');
      if (!open) throw new Error('Nothing is asked.');
      return house.client
        .answer({ params: { ...params(session.id), item_id: open.id }, body: { decision } })
        .then(() => open.id);
    };
    const isAsked = () =>
      itemsOf(watch, 'approval').some((item) => item.status === 'pending') &&
      watch.view?.session.status === 'waiting';
    const out = join(session.working_directory, 'out.txt');

    house.simulator.script(
      [
        {
          steps: [
            {
              type: 'tool_calls',
              calls: [{ name: 'write_file', input: { path: 'out.txt', content: 'no' } }],
            },
          ],
        },
        { steps: [{ type: 'text', text: 'As you wish.' }] },
      ],
      { contains: 'declined change' },
    );
    await house.client.sendMessage({ params: params(session.id), body: { text: 'a declined change' } });
    await until(watch, isAsked, 'it asks');
    expect(watch.view?.session.waiting_for).toBe('person');
    await answer('decline');
    await until(watch, () => hasEnded(watch), 'the turn ends');
    expect(existsSync(out)).toBe(false);
    expect(itemsOf(watch, 'tool_call')[0]).toMatchObject({
      status: 'cancelled',
      data: { output: expect.stringContaining('declined') },
    });

    await house.client.sendMessage({
      params: params(session.id),
      body: { text: 'read input.txt and write its upper case to out.txt' },
    });
    await until(watch, isAsked, 'it asks again');
    const id = await answer('accept');
    await until(watch, () => hasEnded(watch), 'the second turn ends');
    expect(readFileSync(out, 'utf8')).toBe('ABC');
    await expect(
      house.client.answer({ params: { ...params(session.id), item_id: id }, body: { decision: 'accept' } }),
    ).rejects.toMatchObject({ status: 409, code: 'conflict' });
    watch.close();
  });

  it('refuses what the access mode forbids, in words the model gets', async () => {
    const session = await house.session({ access_mode: 'workspace' });
    house.simulator.script(
      [
        {
          steps: [
            {
              type: 'tool_calls',
              calls: [
                { name: 'write_file', input: { path: '../outside.txt', content: 'x' } },
                { name: 'read_file', input: { path: '/etc/hostname' } },
              ],
            },
          ],
        },
        { steps: [{ type: 'text', text: 'I may not.' }] },
      ],
      { contains: 'leave the folder' },
    );
    const watch = await house.ask(session.id, 'leave the folder');
    for (const call of itemsOf(watch, 'tool_call')) {
      expect(call.status).toBe('failed');
      expect(call.data.error).toContain('outside the working directory');
    }
    watch.close();
  });

  it('neither offers nor runs a tool that is switched off, for all or for one session', async () => {
    await house.client.patchTool({ params: { name: 'glob' }, body: { is_enabled: false } });
    const session = await house.session({ tools: { write_file: false } });
    house.simulator.script(
      [
        {
          steps: [
            {
              type: 'tool_calls',
              calls: [
                { name: 'write_file', input: { path: 'a', content: 'x' } },
                { name: 'glob', input: { pattern: '*' } },
              ],
            },
          ],
        },
        { steps: [{ type: 'text', text: 'They are off.' }] },
      ],
      { contains: 'try what is off' },
    );
    const watch = await house.ask(session.id, 'try what is off');
    for (const call of itemsOf(watch, 'tool_call'))
      expect(call.data.error).toContain('There is no tool named');
    const request = house.simulator.requests.find((each) => each.user_text === 'try what is off');
    expect(JSON.stringify(request?.json)).not.toContain('"name":"glob","description"');
    await house.client.patchTool({ params: { name: 'glob' }, body: { is_enabled: true } });
    watch.close();
  });

  it('goes on with another provider from the next message, thoughts left behind', async () => {
    const session = await house.session({ provider: 'anthropic' });
    const watch = await house.ask(session.id, 'think about rivers');
    expect(itemsOf(watch, 'thought')).toHaveLength(1);
    for (const provider of ['openai', 'gemini', 'openai_chat'] as const) {
      await house.client.patchSession({ params: params(session.id), body: { provider } });
      const next = await house.ask(session.id, `think about ${provider}`);
      expect(next.view?.turn?.status).toBe('done');
      expect(next.view?.session.provider).toBe(provider);
      next.close();
    }
    const notices = itemsOf(watch, 'notice').filter((item) => item.data.code === 'model_changed');
    expect(notices).toHaveLength(3);
    expect(house.simulator.requests.filter((request) => request.refused)).toEqual([]);
    watch.close();
  });

  it('says what went wrong, keeps the message and goes on when resumed', async () => {
    const session = await house.session();
    house.simulator.script([{ failure: { kind: 'auth' } }], { contains: 'with a bad key' });
    const watch = await house.ask(session.id, 'say hello with a bad key');
    expect(watch.view?.turn).toMatchObject({ status: 'failed', cause: 'auth' });
    expect(watch.view?.session.status).toBe('failed');
    const notice = itemsOf(watch, 'notice').at(-1);
    expect(notice?.data).toMatchObject({ code: 'turn_failed', cause: 'auth', remedy: expect.any(String) });
    await house.client.resume({ params: params(session.id) });
    await until(watch, () => watch.view?.turn?.status === 'done', 'the resumed turn is done');
    expect(watch.view?.session.status).toBe('idle');
    watch.close();
  });

  it('leaves the others at work when one provider is down', async () => {
    const session = await house.session({ provider: 'anthropic', base_url: 'http://127.0.0.1:9' });
    const other = await house.session({ provider: 'gemini' });
    const [failed, fine] = await Promise.all([house.ask(session.id, 'hello'), house.ask(other.id, 'hello')]);
    expect(failed.view?.turn).toMatchObject({ status: 'failed', cause: 'network' });
    expect(fine.view?.turn?.status).toBe('done');
  });
});
