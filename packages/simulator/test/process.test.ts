import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { post } from './client.ts';

let child: ChildProcess;
let origin = '';
beforeAll(async () => {
  const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
  child = spawn(process.execPath, [main, '--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  if (!child.stdout) throw new Error('the simulator has no standard output');
  const [line] = await once(child.stdout, 'data');
  origin = /http:\S+/.exec(String(line))?.[0] ?? '';
});
afterAll(async () => {
  if (child.exitCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
});

interface Told {
  readonly requests: readonly { readonly chunks: number; readonly ending: string }[];
}
const requests = async (): Promise<Told['requests']> => {
  const response = await fetch(`${origin}/__control/requests?after=0`);
  return ((await response.json()) as Told).requests;
};
const ask = () =>
  post(`${origin}/api/chat`, { model: 'qwen3:8b', messages: [{ role: 'user', content: 'Look' }] }, {});
const control = (path: string, body: unknown = {}) => post(`${origin}/__control/${path}`, body, {});

it('says where it is and takes scripts over HTTP', async () => {
  expect(origin).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  expect(
    await control('script', { scenarios: [{ failure: { kind: 'overloaded' } }], match: { wire: 'ollama' } }),
  ).toMatchObject({ status: 200 });
  expect((await ask()).status).toBe(503);
  expect((await ask()).status).toBe(200);
});

it('refuses a script it does not understand, naming the field', async () => {
  const refused = await control('script', { scenarios: [{ steps: [{ type: 'dance' }] }] });
  expect(refused.status).toBe(400);
  expect(JSON.parse(refused.text).error).toContain('scenarios[0].steps[0]');
  expect((await control('dance')).status).toBe(404);
});

it('tells what it was sent, and forgets it', async () => {
  await ask();
  expect((await requests()).at(-1)).toMatchObject({
    wire: 'ollama',
    user_text: 'Look',
    ending: 'complete',
    body: expect.stringContaining('Look'),
  });
  await control('reset');
  expect(await requests()).toEqual([]);
});

it('changes its settings while it runs', async () => {
  await control('settings', { tokens_per_second: 1 });
  await control('script', { scenarios: [{ steps: [{ type: 'text', text: 'slow and steady' }] }] });
  const stopped = await Promise.race([ask().then(() => 'ended'), told('open')]);
  expect(stopped).toBe('open');
});

/** Polls until the newest request is in that state. */
const told = async (ending: string): Promise<string> => {
  const deadline = Date.now() + 5000;
  while (Date.now() < deadline) {
    const newest = (await requests()).at(-1);
    if (newest && newest.chunks > 0 && newest.ending === ending) return ending;
  }
  throw new Error(`no request was ${ending}`);
};

it('ends on SIGTERM, streams or not', async () => {
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await gone).toEqual([0, null]);
});
