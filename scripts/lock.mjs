// One installation or build at a time in a checkout, also when two terminals start Maestro together.
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { root } from './node.mjs';
import { say } from './words.mjs';

const folder = join(root, '.cache');
const path = join(folder, 'build.lock');

/** No installation takes this long, ms: a lock that is older belongs to another process that got the same number. */
const too_old_ms = 15 * 60 * 1000;

const isAlive = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
};

const take = () => {
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' });
    return undefined;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    // 0: its holder has not written its number yet, or has just given it back.
    return existsSync(path) ? Number(readFileSync(path, 'utf8')) : 0;
  }
};

/** Runs `work` alone. A lock left by a process that is gone is taken over. */
export const alone = async (work) => {
  mkdirSync(folder, { recursive: true });
  let told = false;
  for (let holder = take(); holder !== undefined; holder = take()) {
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if ((holder !== 0 && !isAlive(holder)) || age > too_old_ms) {
      rmSync(path, { force: true });
      continue;
    }
    if (!told && holder !== 0) say(`Waiting for process ${holder}, which is installing or building here…`);
    told ||= holder !== 0;
    await wait(200);
  }
  const release = () => rmSync(path, { force: true });
  process.once('exit', release);
  try {
    return await work();
  } finally {
    process.off('exit', release);
    release();
  }
};
