import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { SessionWatch } from '@maestro/client';
import type { ConversationId, ItemId, SessionId } from '@maestro/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type House, hasEnded, itemsOf, startHouse, until } from '../support/house.ts';
import { removeFolder, temporaryFolder } from '../support/temporary.ts';
import { claudeCode } from './support/claude-code.ts';

type Prompt = Parameters<NonNullable<Parameters<House['simulator']['respond']>[0]>>[0];

let house: House;
let home: string;

beforeAll(async () => {
  const program = await claudeCode();
  home = temporaryFolder('claude-branches');
  mkdirSync(join(home, 'data'));
  house = await startHouse({
    data: join(home, 'data'),
    env: { HOME: home, MAESTRO_CLAUDE_PATH: program, CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1' },
  });
  let answers = 0;
  house.simulator.respond((prompt: Prompt) => {
    const last = prompt.turns.at(-1);
    answers += 1;
    if (last?.role === 'user' && /use_a_tool$/.test(last.text)) {
      const input = { command: 'echo tool-found', description: 'x' };
      return {
        steps: [text(`answer-${answers}.`), { type: 'tool_calls', calls: [{ name: 'Bash', input }] }],
      };
    }
    return { steps: [text(`answer-${answers}.`)] } as never;
  });
}, 400_000);
afterAll(async () => {
  await house?.[Symbol.asyncDispose]();
  if (home) await removeFolder(home);
});

const text = (words: string) => ({ type: 'text', text: words }) as const;
const of = (session_id: SessionId) => ({ params: { session_id } });

/** Of what its model was sent last: our words, in their order, each once, and whether they were told as text. */
const sent = () => {
  const last = house.simulator.requests.filter(({ wire }) => wire === 'anthropic').at(-1);
  const body = last?.body.toString('utf8') ?? '';
  return {
    words: [...new Set(body.match(/said-\w+|answer-\d+|tool-found/g))],
    as_text: body.includes('what was said before in this session'),
  };
};
const answersIn = (watch: SessionWatch) =>
  itemsOf(watch, 'agent_message').map(({ data }) => data.text.replace('.', ''));
const last = (watch: SessionWatch): string => answersIn(watch).at(-1) ?? '?';
const messageAt = (watch: SessionWatch, n: number): ItemId => {
  const found = itemsOf(watch, 'user_message')[n];
  if (!found) throw new Error(`There is no message ${n}.`);
  return found.id;
};
const ended = (watch: SessionWatch, turn_id: string) =>
  until(watch, () => watch.view?.turn?.id === turn_id && hasEnded(watch), 'the turn ends');
const branch = async (id: SessionId): Promise<ConversationId> =>
  (await house.client.getSession(of(id))).session.conversation_id;

describe('branches of a session of the real Claude Code (P11, A17)', () => {
  it('each go on with what was said on them, and nothing of another', async () => {
    const { id } = await house.session({ provider: 'claude_code', model: 'claude-sonnet-5' });
    const watch = await house.ask(id, 'said-apple');
    const one = last(watch);
    await house.ask(id, 'said-pear');
    const two = last(watch);
    const first = await branch(id);

    const body = { item_id: messageAt(watch, 1), text: 'said-plum' };
    await ended(watch, (await house.client.editMessage({ ...of(id), body })).turn_id);
    const plum = last(watch);
    expect(answersIn(watch)).toEqual([one, plum]);
    expect(sent()).toEqual({ words: ['said-apple', one, 'said-plum'], as_text: true });
    const second = await branch(id);
    await house.ask(id, 'said-fig');
    const fig = last(watch);
    expect(sent().words).toEqual(['said-apple', one, 'said-plum', plum, 'said-fig']);

    // Back on the first branch, in its own conversation of there.
    await house.client.activateConversation({ ...of(id), body: { id: first } });
    await house.ask(id, 'said-lime');
    const lime = last(watch);
    expect(sent()).toEqual({ words: ['said-apple', one, 'said-pear', two, 'said-lime'], as_text: false });

    // The last message once more: the first answer to it is not told.
    await ended(watch, (await house.client.retry(of(id))).turn_id);
    const again = last(watch);
    expect(again).not.toBe(lime);
    expect(sent()).toEqual({ words: ['said-apple', one, 'said-pear', two, 'said-lime'], as_text: true });
    const third = await branch(id);

    // To and fro, also after a restart: each is where it stood.
    await house.client.activateConversation({ ...of(id), body: { id: second } });
    await house.crash();
    watch.close();
    (await house.ask(id, 'said-kiwi')).close();
    expect(sent().words).toEqual(['said-apple', one, 'said-plum', plum, 'said-fig', fig, 'said-kiwi']);
    await house.client.activateConversation({ ...of(id), body: { id: third } });
    const end = await house.ask(id, 'said-nut');
    expect(sent().words).toEqual(['said-apple', one, 'said-pear', two, 'said-lime', again, 'said-nut']);
    expect(end.view?.turn?.status).toBe('done');
    // Each turn is billed once.
    expect(end.view?.session.totals).toMatchObject({ calls: 8, unpriced_calls: 0 });
    end.close();
  }, 90_000);

  it('a fork inside a turn is told what was done up to there, and what is said on it stays on it', async () => {
    const { id } = await house.session({ provider: 'claude_code', model: 'claude-sonnet-5' });
    const watch = await house.ask(id, 'said-use_a_tool');
    const [before = '', after = ''] = answersIn(watch);
    const first = await branch(id);
    const call = itemsOf(watch, 'tool_call')[0];
    await house.client.fork({ ...of(id), body: { at_item: call?.id } });
    await until(watch, () => !answersIn(watch).includes(after), 'the fork is shown');
    await house.ask(id, 'said-other');
    expect(sent()).toEqual({ words: ['said-use_a_tool', before, 'tool-found', 'said-other'], as_text: true });

    await house.client.activateConversation({ ...of(id), body: { id: first } });
    await house.ask(id, 'said-back');
    expect(sent()).toEqual({
      words: ['said-use_a_tool', before, 'tool-found', after, 'said-back'],
      as_text: false,
    });
    watch.close();
  }, 90_000);
});
