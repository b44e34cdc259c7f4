import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Root of the checkout. */
export const root = dirname(dirname(import.meta.dirname));

/** Every file of the repository, tracked or new, that git does not ignore. Paths from the root, with `/`. */
export const repositoryFiles = (): string[] => {
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  const gone = execFileSync('git', ['ls-files', '-d', '-z'], { cwd: root, encoding: 'utf8' }).split('\0');
  return listed.split('\0').filter((path) => path !== '' && !gone.includes(path));
};

export const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** Code that people write and read: no fixtures, nothing generated. */
export const isCode = (path: string): boolean =>
  /\.(ts|tsx|mjs)$/.test(path) && !/(^|\/)fixtures\/|\.generated\./.test(path);

export const isTest = (path: string): boolean =>
  /(\.test|\/testing)\.tsx?$/.test(path) || /(^|\/)tests?\//.test(path);

/** Comments and strings blanked, so that a rule about code does not stumble over prose. Line numbers are kept. */
export const codeOnly = (text: string): string =>
  text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/g, (found) =>
    found.replaceAll(/[^\n]/g, ' '),
  );

/** `path:line` of each line that matches. */
export const linesWith = (path: string, text: string, pattern: RegExp): string[] =>
  text.split('\n').flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}`] : []));
