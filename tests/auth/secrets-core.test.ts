import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from '@maestro/client';
import { startSimulator } from '@maestro/simulator';
import { expect, it } from 'vitest';
import { serverFlags } from '../../scripts/node.mjs';
import { vendorEnvironment } from '../support/house.ts';
import { startProgram } from '../support/program.ts';
import { removeFolder, temporaryFolder } from '../support/temporary.ts';

const bundle = join(import.meta.dirname, '..', '..', 'dist', 'server', 'main.mjs');

it('no secret is in a core file of the server (S3)', async () => {
  const folder = temporaryFolder('core');
  const simulator = await startSimulator();
  const secrets = {
    environment: ['sk', 'ant', 'of', 'the', 'environment', '0123'].join('-'),
    saved: ['sk', 'saved', 'in', 'the', 'vault', '4567'].join('-'),
  };
  try {
    // Where the system is asked for cores and writes them beside the program. Elsewhere what it would write is looked at.
    const program = startProgram(
      '/bin/sh',
      ['-c', 'ulimit -c unlimited; exec "$@"', 'sh', process.execPath, ...serverFlags, bundle, 'start'],
      {
        cwd: folder,
        env: {
          ...vendorEnvironment(simulator),
          ANTHROPIC_API_KEY: secrets.environment,
          MAESTRO_DATA: join(folder, 'data'),
          MAESTRO_PORT: '0',
          MAESTRO_OPEN: '0',
        },
      },
    );
    const [, base_url = ''] = await program.untilSays(/ready at (http:\S+)/);
    const token = readFileSync(join(folder, 'data', 'token'), 'utf8').trim();
    const client = createClient({ base_url, token });
    const made = await client.createCredential({ body: { provider: 'openai', api_key: secrets.saved } });
    expect(made.ok).toBe(true);
    if (process.platform === 'linux')
      expect(readFileSync(`/proc/${program.pid}/coredump_filter`, 'utf8').trim()).toBe('00000000');
    program.child.kill('SIGABRT');
    expect(await program.ended).toMatchObject({ signal: 'SIGABRT' });
    for (const name of readdirSync(folder).filter((each) => each.startsWith('core')))
      for (const secret of [...Object.values(secrets), token])
        expect(readFileSync(join(folder, name)).includes(secret), name).toBe(false);
  } finally {
    await simulator.close();
    await removeFolder(folder);
  }
});
