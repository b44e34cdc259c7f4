import { type ChildProcess, spawn } from 'node:child_process';

/**
 * Reads `add PID` and `drop PID` and, when its input ends, ends the process groups that were not dropped. An agent in
 * the middle of a turn works on when its pipes break: nobody would see what it does or be asked.
 */
const script = `
held=" "
while read -r op pid; do
  case "$op" in
    add) held="$held$pid " ;;
    drop) left=" "; for each in $held; do [ "$each" = "$pid" ] || left="$left$each "; done; held="$left" ;;
  esac
done
for each in $held; do kill -TERM -"$each" 2>/dev/null; done
[ "$held" = " " ] && exit 0
sleep 2
for each in $held; do kill -KILL -"$each" 2>/dev/null; done
exit 0
`;

let guard: ChildProcess | undefined;
const held = new Set<number>();

/** From now on the group of this process ends with this server, also when the server is killed. Not on Windows. */
export const guardGroup = (pid: number): void => {
  if (process.platform === 'win32') return;
  held.add(pid);
  guard ??= startGuard();
  tell(guard, `add ${pid}`);
};

/** The process is gone: its number may soon be another's. */
export const dropGroup = (pid: number): void => {
  if (!held.delete(pid) || !guard) return;
  tell(guard, `drop ${pid}`);
  if (held.size > 0) return;
  guard.stdin?.end();
  guard = undefined;
};

const startGuard = (): ChildProcess => {
  // A group of its own: what is sent to the server's group (Ctrl+C in a terminal) must not reach it.
  const started = spawn('/bin/sh', ['-c', script], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    env: { PATH: '/usr/bin:/bin' },
  });
  // Without a shell there is no guard; the agents are ended at every stop but a kill.
  started.on('error', () => undefined);
  started.stdin.on('error', () => undefined);
  started.unref();
  return started;
};

const tell = (to: ChildProcess, words: string): void => {
  to.stdin?.write(`${words}\n`);
};
