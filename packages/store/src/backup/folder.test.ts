import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { backupFolder, isDue, listBackups, nextBackup, removeOld, removeUnfinished } from './folder.ts';
import { magic } from './format.ts';

const day = 86_400_000;
const now = Date.parse('2026-03-10T03:17:00Z');

/** A data folder with a backup of each of these times. */
const holding = (...times: number[]): string => {
  const folder = mkdtempSync(join(tmpdir(), 'maestro-backups-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const at of times) writeFileSync(nextBackup(folder, at), 'x');
  return folder;
};
const ages = (folder: string) => listBackups(folder).map(({ at }) => Math.round((now - at) / day));

it('keeps thirty days of forty (S10)', () => {
  const folder = holding(...Array.from({ length: 40 }, (_, age) => now - age * day));
  expect(removeOld(folder, 30, now)).toHaveLength(9);
  expect(ages(folder)).toEqual(Array.from({ length: 31 }, (_, age) => age));
});

it('goes on after a clock that was ahead: what it dated is no reason to make none (S10)', () => {
  const folder = holding(now + 3650 * day, now - 2 * day);
  expect(isDue(folder, now)).toBe(true);
  writeFileSync(nextBackup(folder, now), 'x');
  expect(isDue(folder, now)).toBe(false);
});

it('loses a week of backups to no clock that is ahead (S10)', () => {
  const folder = holding(...Array.from({ length: 30 }, (_, age) => now - age * day));
  removeOld(folder, 30, now + 3650 * day);
  expect(ages(folder)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  removeOld(folder, 2, now + 3650 * day);
  expect(ages(folder)).toEqual([0, 1]);
});

it('removes what a killed process left unfinished, and not what is being written (S10)', () => {
  const folder = holding(now);
  const part = (name: string, age_ms: number) => {
    const path = join(backupFolder(folder), name);
    writeFileSync(path, 'half');
    const at = (Date.now() - age_ms) / 1000;
    utimesSync(path, at, at);
    return name;
  };
  part('maestro-20260309T031700Z.backup.77-abcdef.part', 2 * 3_600_000);
  const fresh = part('maestro-20260310T031700Z.backup.78-abcdef.part', 1000);
  const foreign = part('notes.part', 2 * 3_600_000);
  removeOld(folder, 30, now);
  expect(readdirSync(backupFolder(folder)).filter((name) => name.endsWith('.part'))).toEqual([
    fresh,
    foreign,
  ]);
});

it('says which folder cannot be used, and why (Q2)', () => {
  const folder = holding();
  writeFileSync(backupFolder(folder), 'a file');
  expect(() => nextBackup(folder, now)).toThrow(
    /folder of backups .*backups cannot be used: there is a file/,
  );
});

it('removes from any folder what a killed backup left there, and nothing else (S10)', async () => {
  const folder = holding();
  const gone = spawnSync(process.execPath, ['--version']).pid;
  const put = (name: string, bytes: Uint8Array) => writeFileSync(join(folder, name), bytes);
  put(`mine.backup.${gone}-abcdef.part`, magic);
  put(`other.${gone}-012345.part`, Buffer.alloc(0));
  put(`under-way.backup.${process.pid}-abcdef.part`, magic);
  put(`film.${gone}-abcdef.part`, Buffer.from('somebody else wrote this'));
  put('whole.backup', magic);
  expect((await removeUnfinished(folder)).toSorted()).toEqual([
    join(folder, `mine.backup.${gone}-abcdef.part`),
    join(folder, `other.${gone}-012345.part`),
  ]);
  expect(readdirSync(folder).toSorted()).toEqual([
    `film.${gone}-abcdef.part`,
    `under-way.backup.${process.pid}-abcdef.part`,
    'whole.backup',
  ]);
  expect(await removeUnfinished(join(folder, 'nowhere'))).toEqual([]);
});
