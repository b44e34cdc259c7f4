import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { maestro, startMaestro } from '../support/program.ts';
import { removeFolder, temporaryFolder } from '../support/temporary.ts';

let folder: string;
beforeEach(() => {
  folder = temporaryFolder('demo');
});
afterEach(() => removeFolder(folder));

it('works without a key, in a data folder of its own, and says that it is a demo', async () => {
  const data = join(folder, 'data');
  const env = {
    MAESTRO_DATA: data,
    MAESTRO_OPEN: '0',
    MAESTRO_PORT: '0',
    // The user's own must not be touched by a demo.
    DATABASE_URL: 'postgres://127.0.0.1:9/mine',
    ANTHROPIC_API_KEY: 'sk-mine',
    ANTHROPIC_BASE_URL: 'http://127.0.0.1:9',
  };
  const program = startMaestro(['demo'], { env });
  const [, url = ''] = await program.untilSays(/^Maestro is ready at (\S+)$/m);
  const token = (await maestro(['token'], { env: { MAESTRO_DATA: `${data}-demo` } })).stdout.trim();
  const facts = await fetch(`${url}/api/v1/server`, { headers: { authorization: `Bearer ${token}` } });
  expect(await facts.json()).toMatchObject({
    demo: true,
    data_folder: `${data}-demo`,
    database: { engine: 'managed' },
  });

  for (const provider of ['anthropic', 'openai', 'openai_chat', 'gemini', 'ollama', 'compatible']) {
    const answer = await maestro(['run', '--provider', provider, 'hello'], {
      env: { MAESTRO_DATA: `${data}-demo` },
    });
    expect({ provider, ...answer }).toMatchObject({ code: 0, stdout: expect.stringContaining('simulator') });
  }

  program.child.kill('SIGTERM');
  expect(await program.ended).toEqual({ code: 0, signal: null });
});
