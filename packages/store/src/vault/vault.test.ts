import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { closeKeyFile, joinKeys, keyFile, makeKeyFile, ringFromFile, ringFromText } from './key-ring.ts';
import { makeVault } from './vault.ts';

const key = () => randomBytes(32).toString('base64');
const place = { table: 'saved_authentications', id: 'one', column: 'credentials' };
const vaultOf = (text: string) => makeVault(ringFromText(text, 'the test'));

const temporary = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'maestro-key-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};

describe('vault (S3)', () => {
  it('opens what it sealed, and seals the same secret differently each time', () => {
    const vault = vaultOf(`a:${key()}`);
    const sealed = vault.seal(place, 'sk-secret');
    expect(vault.open(place, sealed)).toBe('sk-secret');
    expect(vault.seal(place, 'sk-secret')).not.toBe(sealed);
    expect(sealed).toMatch(/^v1\.a\.[\w-]+$/);
    expect(Buffer.from(sealed.split('.')[2] ?? '', 'base64url').includes('sk-secret')).toBe(false);
  });

  it.each([
    ['row', { ...place, id: 'two' }],
    ['column', { ...place, column: 'other' }],
    ['table', { ...place, table: 'other' }],
  ])('refuses the text of another %s', (_, other) => {
    const vault = vaultOf(`a:${key()}`);
    expect(() => vault.open(other, vault.seal(place, 'x'))).toThrow('belongs to another row');
  });

  it('refuses a text with any byte changed: iv, tag or ciphertext', () => {
    const vault = vaultOf(`a:${key()}`);
    const sealed = vault.seal(place, 'secret');
    const bytes = Buffer.from(sealed.split('.')[2] ?? '', 'base64url');
    for (const at of bytes.keys()) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(() => vault.open(place, `v1.a.${changed.toString('base64url')}`)).toThrow('does not open');
    }
  });

  it('refuses a cut text, an unknown form and another key under the same id', () => {
    const vault = vaultOf(`a:${key()}`);
    const sealed = vault.seal(place, 'secret');
    expect(() => vault.open(place, sealed.slice(0, 20))).toThrow('does not open');
    expect(() => vault.open(place, sealed.replace('v1', 'v2'))).toThrow('unknown form v2');
    expect(() => vaultOf(`a:${key()}`).open(place, sealed)).toThrow('does not open with the key a');
  });

  it('names the key that is missing', () => {
    const sealed = vaultOf(`old:${key()}`).seal(place, 'secret');
    expect(() => vaultOf(`new:${key()}`).open(place, sealed)).toThrow(
      'sealed with the key old, which is not in the test',
    );
  });

  it('opens with every key of the ring and seals with the first', () => {
    const [one, two] = [key(), key()];
    const sealed = vaultOf(`one:${one}`).seal(place, 'secret');
    const both = vaultOf(`two:${two},one:${one}`);
    expect(both.open(place, sealed)).toBe('secret');
    expect(both.isOld(sealed)).toBe(true);
    expect(both.seal(place, 'x')).toMatch(/^v1\.two\./);
  });
});

describe('key ring', () => {
  it('makes a key file that only its owner reads, once', () => {
    const folder = temporary();
    expect(ringFromFile(folder)).toBeUndefined();
    const made = makeKeyFile(folder);
    expect(statSync(keyFile(folder)).mode & 0o777).toBe(0o600);
    expect(ringFromFile(folder)).toEqual(made);
    expect(() => makeKeyFile(folder)).toThrow('EEXIST');
  });

  it('reads keys by comma or line, in quotes, and with the base64 of addresses', () => {
    const [one, two] = [key(), key()];
    for (const text of [`a:${one},b:${two},`, `"a:${one}, b:${two}"`, `a:${one}\nb:${two}\n`])
      expect([...ringFromText(text, 'ENCRYPTION_KEY').keys.values()]).toEqual(
        [one, two].map((each) => Buffer.from(each, 'base64')),
      );
    const address = one.replaceAll('+', '-').replaceAll('/', '_');
    expect(ringFromText(address, 'ENCRYPTION_KEY')).toEqual(ringFromText(one, 'ENCRYPTION_KEY'));
  });

  it.each(['nonsense', 'a:c2hvcnQ=', '', 'a b:'.concat(key()), `a:${key()};b:${key()}`, `a:${key()} x`])(
    'says what is wrong with %j',
    (text) => {
      expect(() => ringFromText(text, 'ENCRYPTION_KEY')).toThrow('openssl rand -base64 32');
    },
  );

  it('names the file that does not hold a key, and what to do', () => {
    const folder = temporary();
    writeFileSync(keyFile(folder), 'nonsense');
    expect(() => ringFromFile(folder)).toThrow(/secret\.key must hold .* Put the file back from your copy\./);
  });

  it('is never read where two keys have one name', () => {
    expect(() => ringFromText(`a:${key()},a:${key()}`, 'ENCRYPTION_KEY')).toThrow(
      'ENCRYPTION_KEY has two different keys of the name a',
    );
    const same = `a:${key()}`;
    expect(ringFromText(`${same},${same}`, 'ENCRYPTION_KEY').keys.size).toBe(1);
  });

  it('is closed to others where it was open', () => {
    const folder = temporary();
    expect(closeKeyFile(folder)).toBe(false);
    makeKeyFile(folder);
    expect(closeKeyFile(folder)).toBe(false);
    chmodSync(keyFile(folder), 0o644);
    expect(closeKeyFile(folder)).toBe(true);
    expect(statSync(keyFile(folder)).mode & 0o777).toBe(0o600);
  });

  it('takes further keys behind its own, and none in the place of its own', () => {
    const folder = temporary();
    const made = makeKeyFile(folder);
    expect(joinKeys(folder, `b:${key()}`)).toMatchObject({ active: made.active });
    expect([...(ringFromFile(folder)?.keys.keys() ?? [])]).toEqual([made.active, 'b']);
    const before = readFileSync(keyFile(folder), 'utf8');
    expect(() => joinKeys(folder, `b:${key()}`)).toThrow('different keys of the name b');
    expect(readFileSync(keyFile(folder), 'utf8')).toBe(before);
  });

  it('reads the file of a folder as text of the same form', () => {
    const folder = temporary();
    writeFileSync(keyFile(folder), `k1:${key()}\n`);
    expect(ringFromFile(folder)?.active).toBe('k1');
  });
});
