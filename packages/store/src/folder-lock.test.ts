import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { confirmEngine, readEngine } from './engine-record.ts';
import { lockFolder, makeDataFolder } from './folder-lock.ts';
import { processFacts } from './process-facts.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'maestro-lock-'));
  return () => rmSync(folder, { recursive: true, force: true });
});
const lockFile = () => join(folder, 'server.lock');
const writeHolder = (pid: number, started: string) =>
  writeFileSync(lockFile(), JSON.stringify({ pid, started, since: '2026-01-01T00:00:00.000Z' }));

describe('the lock on the data folder', () => {
  it('refuses a second server in words that name process, folder and remedy', () => {
    const lock = lockFolder(folder);
    expect(() => lockFolder(folder)).toThrow(
      new RegExp(`process ${process.pid}, since .* already uses the data folder ${folder}.*MAESTRO_DATA`),
    );
    lock.release();
    lockFolder(folder).release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is readable by its owner only', () => {
    lockFolder(folder);
    expect(statSync(lockFile()).mode & 0o777).toBe(0o600);
  });

  it('is taken over from a process that ended', async () => {
    const child = spawn(process.execPath, ['-e', '0']);
    const started = processFacts(child.pid ?? 0)?.started ?? '';
    await once(child, 'exit');
    writeHolder(child.pid ?? 0, started);
    lockFolder(folder);
    expect(JSON.parse(readFileSync(lockFile(), 'utf8')).pid).toBe(process.pid);
  });

  it('is taken over when the number belongs to another process by now', () => {
    writeHolder(process.pid, 'another boot/1');
    lockFolder(folder);
    expect(JSON.parse(readFileSync(lockFile(), 'utf8')).started).toBe(processFacts(process.pid)?.started);
  });

  it('is taken over when the file is empty or broken', () => {
    writeFileSync(lockFile(), '');
    lockFolder(folder);
    expect(JSON.parse(readFileSync(lockFile(), 'utf8')).pid).toBe(process.pid);
  });

  it('is not removed by a server that lost it', () => {
    const lock = lockFolder(folder);
    writeHolder(1, processFacts(1)?.started ?? '');
    lock.release();
    expect(existsSync(lockFile())).toBe(true);
  });
});

describe('the data folder', () => {
  it('made closed by root beforehand lets PostgreSQL pass', () => {
    const data = join(folder, 'closed');
    mkdirSync(data, { mode: 0o700 });
    makeDataFolder(data);
    expect(statSync(data).mode & 0o777).toBe(process.getuid?.() === 0 ? 0o701 : 0o700);
  });

  it('is closed to others, its parents keep the usual modes', () => {
    const data = join(folder, 'a', 'b', 'data');
    makeDataFolder(data);
    makeDataFolder(data);
    expect(statSync(data).mode & 0o777).toBe(process.getuid?.() === 0 ? 0o711 : 0o700);
    expect(statSync(join(folder, 'a', 'b')).mode & 0o777).toBe(0o777 & ~process.umask());
  });
});

describe('the record of the engine (S1)', () => {
  it('is written at the first start and binds the later ones', () => {
    confirmEngine(folder, readEngine(folder, 'managed'), 'db_1');
    expect(readEngine(folder, 'managed')).toMatchObject({ engine: 'managed', database_id: 'db_1' });
    expect(() => readEngine(folder, 'url')).toThrow('Unset DATABASE_URL');
  });

  it('tells when DATABASE_URL is missing or leads elsewhere', () => {
    confirmEngine(folder, readEngine(folder, 'url'), 'db_1');
    expect(() => readEngine(folder, 'managed')).toThrow('DATABASE_URL is not set');
    expect(() => confirmEngine(folder, readEngine(folder, 'url'), 'db_2')).toThrow(
      'leads to another database',
    );
  });

  it('tells when the database of the folder was exchanged', () => {
    confirmEngine(folder, readEngine(folder, 'managed'), 'db_1');
    expect(() => confirmEngine(folder, readEngine(folder, 'managed'), 'db_2')).toThrow('is not the one');
  });

  it('does not guess from a broken record', () => {
    writeFileSync(join(folder, 'engine.json'), '{');
    expect(() => readEngine(folder, 'managed')).toThrow('cannot be read');
  });
});
