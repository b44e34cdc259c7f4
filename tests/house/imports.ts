import { isCode, isTest, read, repositoryFiles } from './repository.ts';

/** A room is one workspace: `packages/store`, `apps/web`. */
export interface Import {
  readonly file: string;
  readonly room: string;
  readonly test: boolean;
  /** As written. */
  readonly target: string;
  /** `import type`: leaves no trace at run time. */
  readonly typeOnly: boolean;
}

const statement =
  /(?:^|\n)\s*(?:import|export)\s+(type\s+)?(?:[\w*{][^;'"]*?\sfrom\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;

export const roomOf = (path: string): string => path.split('/').slice(0, 2).join('/');

/** Every import of the rooms' code. */
export const allImports = (): Import[] =>
  repositoryFiles()
    .filter((path) => isCode(path) && /^(packages|apps)\/[^/]+\//.test(path))
    .flatMap((file) =>
      [...read(file).matchAll(statement)].map((match) => ({
        file,
        room: roomOf(file),
        test: isTest(file),
        target: match[2] ?? match[3] ?? '',
        typeOnly: match[1] !== undefined,
      })),
    );
