import { readlink, realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, isAbsolute, join, resolve, sep } from 'node:path';
import type { ToolKind, Touch } from '@maestro/ports';
import type { AccessMode } from '@maestro/protocol';

export type AccessDecision = { type: 'allow' } | { type: 'ask' } | { type: 'refuse'; reason: string };

/** The rule of the four access modes. `outside`: the first touched path that lies outside the working directory. */
export const decideAccess = (
  mode: AccessMode,
  kind: ToolKind,
  outside: string | undefined,
): AccessDecision => {
  if (mode === 'full') return { type: 'allow' };
  if (mode === 'read_only')
    return kind === 'read'
      ? { type: 'allow' }
      : {
          type: 'refuse',
          reason:
            'This session is read-only: changes and commands are refused. Ask the person to change its access mode.',
        };
  if (mode === 'ask') return kind === 'read' ? { type: 'allow' } : { type: 'ask' };
  if (outside !== undefined)
    return {
      type: 'refuse',
      reason: `${outside} is outside the working directory, and this session may only touch files inside it.`,
    };
  return kind === 'execute' ? { type: 'ask' } : { type: 'allow' };
};

/** The first path, as the model wrote it, whose real place is outside the working directory; symlinks are resolved. */
export const firstOutside = async (
  working_directory: string,
  touches: readonly Touch[],
): Promise<string | undefined> => {
  const root = await realPlace(working_directory);
  for (const touch of touches) {
    const real = await realPlace(absolute(working_directory, touch.path));
    if (real !== root && !real.startsWith(root.endsWith(sep) ? root : root + sep)) return touch.path;
  }
  return undefined;
};

const absolute = (working_directory: string, path: string): string => {
  if (path === '~' || path.startsWith('~/')) return join(homedir(), path.slice(1));
  return isAbsolute(path) ? resolve(path) : resolve(working_directory, path);
};

/** Longest chain of dangling links that is followed; a longer one counts as outside. */
const mostLinks = 40;

/** Where a path really is or would be made: symlinks (dangling ones too) of its nearest existing ancestor resolved, the rest added. */
const realPlace = async (path: string): Promise<string> => {
  const rest: string[] = [];
  let links = 0;
  for (let at = path; ; ) {
    const real = await realpath(at).catch(() => undefined);
    if (real !== undefined) return join(real, ...rest.reverse());
    const parent = dirname(at);
    if (parent === at) return path;
    const link = await readlink(at).catch(() => undefined);
    if (link !== undefined) {
      links += 1;
      if (links > mostLinks) return sep;
      at = resolve(parent, link);
      continue;
    }
    rest.push(basename(at));
    at = parent;
  }
};
