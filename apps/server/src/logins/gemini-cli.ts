import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

/** gemini-cli's client id; in its program the secret stands beside it. */
const beside =
  /681255809395-[\w-]+\.apps\.googleusercontent\.com[\s\S]{0,800}?["'`](GOCSPX-[\w-]{20,60})["'`]/;
/** Programs larger than this are not read. */
const largest = 64 * 1024 * 1024;
/** Where the program is, from the folder of its package. */
const places = [
  'bundle',
  'dist',
  join('dist', 'src', 'code_assist'),
  join('node_modules', '@google', 'gemini-cli-core', 'dist', 'src', 'code_assist'),
];

/** The OAuth client secret of the gemini-cli that is installed for this person; undefined: none is, or it is not found in it. */
export const geminiClientSecret = (path: string | undefined): string | undefined => {
  for (const folder of (path ?? '').split(delimiter).filter(Boolean)) {
    const program = ['gemini', 'gemini.cmd']
      .map((name) => join(folder, name))
      .find((each) => existsSync(each));
    const root = program && packageOf(program, folder);
    if (!root) continue;
    for (const file of places.flatMap((place) => scripts(join(root, place)))) {
      const secret = beside.exec(readFileSync(file, 'utf8'))?.[1];
      if (secret) return secret;
    }
  }
  return undefined;
};

/** The folder of the package that a program on the PATH belongs to: through its link, or beside npm's Windows script. */
const packageOf = (program: string, folder: string): string | undefined => {
  const beside = join(folder, 'node_modules', '@google', 'gemini-cli');
  if (existsSync(beside)) return beside;
  for (let at = dirname(realpathSync(program)); dirname(at) !== at; at = dirname(at))
    if (existsSync(join(at, 'package.json'))) return at;
  return undefined;
};

const scripts = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => /\.[cm]?js$/.test(name))
        .map((name) => join(folder, name))
        .filter((file) => statSync(file).size < largest)
    : [];
