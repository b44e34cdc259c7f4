import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findProgram } from './find-program.ts';

describe('finding a program on the PATH (P11, P15)', () => {
  let folder: string;
  const good = (): string => join(folder, 'good');
  const found = (...folders: string[]): string | undefined =>
    findProgram('agent', { PATH: folders.join(delimiter) });

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'maestro-path-'));
    mkdirSync(good());
    writeFileSync(join(good(), 'agent'), '', { mode: 0o755 });
  });
  afterAll(() => {
    chmodSync(join(folder, 'closed'), 0o700);
    rmSync(folder, { recursive: true });
  });

  it('passes over folders that cannot be looked into, are not there or are files', () => {
    const closed = join(folder, 'closed');
    mkdirSync(closed, { mode: 0o000 });
    const loop = join(folder, 'loop');
    symlinkSync(loop, loop);
    expect(found(closed, loop, join(folder, 'absent'), join(good(), 'agent'))).toBeUndefined();
    expect(found(closed, loop, good())).toBe(join(good(), 'agent'));
  });

  it('passes over a folder of that name and a file that may not be run', () => {
    for (const name of ['named', 'plain']) mkdirSync(join(folder, name));
    mkdirSync(join(folder, 'named', 'agent'));
    writeFileSync(join(folder, 'plain', 'agent'), '', { mode: 0o644 });
    expect(found(join(folder, 'named'), join(folder, 'plain'), good())).toBe(join(good(), 'agent'));
  });
});
