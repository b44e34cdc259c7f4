import { posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { allImports, type Import, roomOf } from './imports.ts';
import { read, repositoryFiles } from './repository.ts';

const imports = allImports();

/** Which of our packages a room may import. `apps/server` wires them all. */
const arrows: Readonly<Record<string, readonly string[]>> = {
  'packages/protocol': [],
  'packages/ports': ['protocol'],
  'packages/engine': ['protocol', 'ports'],
  'packages/providers': ['protocol', 'ports'],
  'packages/tools': ['protocol', 'ports'],
  'packages/mcp': ['protocol', 'ports'],
  'packages/codex': ['protocol', 'ports'],
  'packages/store': ['protocol', 'ports'],
  'packages/client': ['protocol'],
  'packages/simulator': ['protocol'],
  'apps/web': ['client', 'protocol'],
  'apps/tui': ['client', 'protocol'],
  'apps/vscode': ['client', 'protocol'],
};

const where = ({ file, target }: Import) => `${file} imports ${target}`;
const ours = ({ target }: Import) => /^@maestro\/([^/]+)/.exec(target)?.[1];

/** What a room's own tests may use besides: the stand-ins for the vendors. */
const forTests = ['simulator'];

describe('arrows between the rooms', () => {
  it('finds the imports', () => {
    expect(imports.length).toBeGreaterThan(50);
  });

  it('follows the plan of the house', () => {
    const wrong = imports.filter((each) => {
      const target = ours(each);
      const allowed = arrows[each.room];
      if (target === undefined || allowed === undefined) return false;
      if (each.room === `packages/${target}`) return false;
      return !allowed.includes(target) && !(each.test && forTests.includes(target));
    });
    expect(wrong.map(where)).toEqual([]);
  });

  it('has a rule for every room', () => {
    const rooms = new Set(imports.map(({ room }) => room));
    expect([...rooms].filter((room) => room !== 'apps/server' && !(room in arrows))).toEqual([]);
  });

  it('keeps packages from importing apps', () => {
    const wrong = imports.filter(
      ({ room, target }) =>
        room.startsWith('packages/') && /^@maestro\/(server|web|tui|vscode)\b|(^|\/)apps\//.test(target),
    );
    expect(wrong.map(where)).toEqual([]);
  });

  it('enters another room only by its front door', () => {
    const inside = imports.filter(({ target }) => /^@maestro\/[^/]+\/.+/.test(target));
    const across = imports.filter(({ file, room, target }) => {
      if (!target.startsWith('.')) return false;
      return roomOf(posix.normalize(posix.join(posix.dirname(file), target))) !== room;
    });
    expect([...inside, ...across].map(where)).toEqual([]);
  });

  it('imports only types from the ports (a wire of types, not of code)', () => {
    const helpers = ['ok', 'fail', 'systemClock', 'defineTool'];
    const source = repositoryFiles()
      .filter((path) => path.startsWith('packages/ports/src/'))
      .flatMap((path) =>
        [...read(path).matchAll(/^export (?:const|function|class) (\w+)/gm)].map((match) => match[1]),
      );
    expect(source.filter((name) => name && !helpers.includes(name))).toEqual([]);
  });

  it('declares what it imports', () => {
    const undeclared = imports.filter(({ room, target, test }) => {
      if (target.startsWith('.') || target.startsWith('node:') || target.startsWith('virtual:')) return false;
      const name = target
        .split('/')
        .slice(0, target.startsWith('@') ? 2 : 1)
        .join('/');
      const own = JSON.parse(read(`${room}/package.json`));
      const root = JSON.parse(read('package.json'));
      const declared = { ...own.dependencies, ...own.optionalDependencies, ...own.devDependencies };
      const forAll =
        test || target.endsWith('.config.ts') || /\.config\.ts$/.test(target) ? root.devDependencies : {};
      const types = { ...root.devDependencies };
      return (
        !(name in declared) && !(name in forAll) && !(`@types/${name}` in types && test) && name !== own.name
      );
    });
    expect(undeclared.filter(({ file }) => !/\.config\.ts$/.test(file)).map(where)).toEqual([]);
  });

  it('has no circle between files of a room', () => {
    const graph = new Map<string, string[]>();
    for (const { file, target, typeOnly } of imports) {
      if (!target.startsWith('.') || typeOnly) continue;
      const to = posix.normalize(posix.join(posix.dirname(file), target));
      graph.set(file, [...(graph.get(file) ?? []), to]);
    }
    expect(circles(graph)).toEqual([]);
  });
});

/** Each circle once, as the files it passes. */
const circles = (graph: ReadonlyMap<string, readonly string[]>): string[] => {
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (file: string, path: readonly string[]) => {
    const start = path.indexOf(file);
    if (start >= 0) {
      found.push([...path.slice(start), file].join(' → '));
      return;
    }
    if (done.has(file)) return;
    for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  return found;
};
