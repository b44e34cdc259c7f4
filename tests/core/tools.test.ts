import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Session } from '@maestro/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type House, hasEnded, itemsOf, startHouse, until } from '../support/house.ts';

type Call = { name: string; input: Record<string, unknown> };

describe('tools in a session (A4, A5, A6, A12, S5)', () => {
  let house: House;
  beforeAll(async () => {
    house = await startHouse();
  });
  afterAll(() => house[Symbol.asyncDispose]());
  let asked = 0;

  /** Lets the model make these calls, then say a word. */
  const callsOf = async (session: Session, calls: Call[]) => {
    asked += 1;
    const text = `calls number ${asked};`;
    house.simulator.script(
      [{ steps: [{ type: 'tool_calls', calls }] }, { steps: [{ type: 'text', text: 'Seen.' }] }],
      { contains: text },
    );
    const watch = await house.ask(session.id, text);
    const made = itemsOf(watch, 'tool_call').slice(-calls.length);
    watch.close();
    return made;
  };

  it('runs a change after the reads before it, and a read after the change before it', async () => {
    const session = await house.session({ working_directory: house.folder({ 'a.txt': 'a', 'b.txt': 'b' }) });
    const calls = await callsOf(session, [
      { name: 'read_file', input: { path: 'a.txt' } },
      { name: 'read_file', input: { path: 'b.txt' } },
      { name: 'write_file', input: { path: 'c.txt', content: 'c' } },
      { name: 'read_file', input: { path: 'c.txt' } },
    ]);
    expect(calls.map((call) => call.status)).toEqual(['done', 'done', 'done', 'done']);
    const [a, b, c, again] = calls.map((call) => call.data);
    expect((c?.started_at ?? '') >= (a?.ended_at ?? '')).toBe(true);
    expect((c?.started_at ?? '') >= (b?.ended_at ?? '')).toBe(true);
    expect(again?.output).toContain('c');
  });

  it('cuts a long output for the model, keeps the whole and says so', async () => {
    const session = await house.session();
    const [call] = await callsOf(session, [{ name: 'run_shell_command', input: { command: 'seq 1 60000' } }]);
    expect(call?.data.output).toContain('characters left out here');
    expect(call?.data.output?.length).toBeLessThan(42_000);
    const id = call?.data.output_blob;
    if (!id) throw new Error('The whole output was not kept.');
    const whole = new TextDecoder().decode(await house.client.getBlob({ params: { id } }));
    expect(whole).toContain('\n31415\n');
    const sent = house.simulator.requests.at(-1)?.body.toString('utf8') ?? '';
    expect(sent).not.toContain('\\n31415\\n');
  });

  it('shows output live, and ends the command with its children when it is stopped', async () => {
    const session = await house.session();
    const marker = join(session.working_directory, 'pid');
    house.simulator.script(
      [
        {
          steps: [
            {
              type: 'tool_calls',
              calls: [
                {
                  name: 'run_shell_command',
                  input: { command: `sh -c 'echo $$ > ${marker}; echo first; exec sleep 1000'` },
                },
              ],
            },
          ],
        },
      ],
      { contains: 'sleep long' },
    );
    const watch = house.live.watchSession(session.id);
    await house.client.sendMessage({ params: { session_id: session.id }, body: { text: 'sleep long' } });
    await until(
      watch,
      () => itemsOf(watch, 'tool_call')[0]?.data.stdout?.includes('first') === true,
      'the command runs',
    );
    const pid = execFileSync('cat', [marker], { encoding: 'utf8' }).trim();
    await house.client.interrupt({ params: { session_id: session.id } });
    await until(watch, () => hasEnded(watch), 'the turn ends');
    expect(itemsOf(watch, 'tool_call')[0]).toMatchObject({ status: 'cancelled' });
    expect(existsSync(`/proc/${pid}`)).toBe(false);
    watch.close();
  });

  it('sends an image it has read to the model and shows it to the person', async () => {
    const session = await house.session();
    const png = Buffer.from(
      'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
      'base64',
    );
    writeFileSync(join(session.working_directory, 'dot.png'), png);
    const [call] = await callsOf(session, [{ name: 'read_file', input: { path: 'dot.png' } }]);
    const image = call?.data.images?.[0];
    expect(image?.media_type).toBe('image/png');
    if (!image) throw new Error('No image.');
    expect(Buffer.from(await house.client.getBlob({ params: { id: image.blob_id } }))).toEqual(png);
    expect(house.simulator.requests.at(-1)?.body.toString('utf8')).toContain(png.toString('base64'));
  });

  it('takes an image with a message on every wire', async () => {
    const png = Buffer.from(
      'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
      'base64',
    );
    const blob = await house.client.putBlob({ body: png }, { content_type: 'image/png' });
    for (const provider of ['anthropic', 'openai', 'openai_chat', 'gemini'] as const) {
      const session = await house.session({ provider });
      const watch = house.live.watchSession(session.id);
      await house.client.sendMessage({
        params: { session_id: session.id },
        body: { text: 'say seen', attachments: [blob.id] },
      });
      await until(watch, () => hasEnded(watch), 'the turn ends');
      expect(watch.view?.turn?.status).toBe('done');
      expect(house.simulator.requests.at(-1)?.body.toString('utf8')).toContain(png.toString('base64'));
      watch.close();
    }
  });

  it('says what is wrong with arguments, so that the model can mend them', async () => {
    const session = await house.session();
    const calls = await callsOf(session, [
      { name: 'read_file', input: { file: 'a.txt' } },
      { name: 'no_such_tool', input: {} },
    ]);
    expect(calls[0]?.data.error).toContain('path');
    expect(calls[1]?.data.error).toContain('read_file');
  });

  it('follows no link out of a workspace', async () => {
    const outside = house.folder({ 'secret.txt': 'hidden words' });
    const session = await house.session({ access_mode: 'workspace' });
    symlinkSync(outside, join(session.working_directory, 'link'));
    mkdirSync(join(session.working_directory, 'inside'));
    const calls = await callsOf(session, [
      { name: 'read_file', input: { path: 'link/secret.txt' } },
      { name: 'search', input: { pattern: 'hidden' } },
      { name: 'glob', input: { pattern: '**/*.txt' } },
      { name: 'list_directory', input: { path: 'link' } },
    ]);
    expect(JSON.stringify(calls.map((call) => call.data.output))).not.toContain('hidden words');
    expect(calls[0]?.status).toBe('failed');
    expect(calls[3]?.status).toBe('failed');
  });
});
