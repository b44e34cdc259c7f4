import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { geminiClientSecret } from './gemini-cli.ts';

const secret = ['GOCSPX', 'of-a-test-and-nobody-else'].join('-');
const id = ['681255809395', 'sometext.apps.googleusercontent.com'].join('-');

/** A gemini-cli as npm installs it: a link on the PATH to the program in its package. */
const installed = (file: string, text: string): string => {
  const root = mkdtempSync(join(tmpdir(), 'maestro-gemini-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const folder = join(root, 'lib', 'gemini-cli');
  const bin = join(root, 'bin');
  mkdirSync(join(folder, file, '..'), { recursive: true });
  mkdirSync(bin);
  writeFileSync(join(folder, 'package.json'), '{"name":"@google/gemini-cli"}');
  writeFileSync(join(folder, 'start.js'), '');
  writeFileSync(join(folder, file), text);
  symlinkSync(join(folder, 'start.js'), join(bin, 'gemini'));
  return [join(root, 'nothing'), bin].join(delimiter);
};

describe('the client secret of an installed gemini-cli (P8)', () => {
  it.each([
    'bundle/chunk-AB12.js',
    'dist/index.mjs',
    'node_modules/@google/gemini-cli-core/dist/src/code_assist/oauth2.js',
  ])('is found beside its client id in %s', (file) => {
    const text = `var a=1;var OAUTH_CLIENT_ID="${id}";\n// as for every installed app\nvar OAUTH_CLIENT_SECRET='${secret}';`;
    expect(geminiClientSecret(installed(file, text))).toBe(secret);
  });

  it('is not taken from beside another id, and is not there where nothing is installed', () => {
    expect(geminiClientSecret(installed('bundle/x.js', `var id="other";var s="${secret}"`))).toBeUndefined();
    expect(geminiClientSecret('/nonexistent')).toBeUndefined();
    expect(geminiClientSecret(undefined)).toBeUndefined();
  });
});
