import { pathToFileURL } from 'node:url';

export const languages = ['elixir', 'python', 'javascript', 'typescript', 'bash'] as const;
export type Language = (typeof languages)[number];

export interface Runtime {
  /** Name of the code's file. */
  readonly file: string;
  /** Files beside it, by name. */
  readonly beside?: (codeFile: string, cwd: string) => Readonly<Record<string, string>>;
  /** Programs that can run it, best first; `folder` is where `beside` was written. */
  readonly commands: (
    codeFile: string,
    folder: string,
  ) => readonly { command: string; args: readonly string[] }[];
  readonly env?: (cwd: string) => Readonly<Record<string, string>>;
  /** How to get it where it is missing. */
  readonly install: string;
}

const windows = process.platform === 'win32';

/**
 * Runs before the code: its own imports start at the working directory, as if its file were there, and its output is
 * written at once (Node would keep what the pipe does not take, and lose it in `process.exit`).
 */
const prelude = (codeFile: string, cwd: string): string => `import { registerHooks } from 'node:module';
const code = ${JSON.stringify(pathToFileURL(codeFile).href)};
const there = ${JSON.stringify(pathToFileURL(`${cwd}/code.js`).href)};
registerHooks({
  resolve: (name, context, next) => next(name, context.parentURL === code ? { ...context, parentURL: there } : context),
});
for (const stream of [process.stdout, process.stderr]) stream._handle?.setBlocking?.(true);
`;

/** This server's own Node, which runs TypeScript by leaving the types out. */
const node = (file: string): Runtime => ({
  file,
  beside: (codeFile, cwd) => ({ 'prelude.mjs': prelude(codeFile, cwd) }),
  commands: (codeFile, folder) => [
    {
      command: process.execPath,
      args: [
        '--disable-warning=ExperimentalWarning',
        '--disable-warning=MODULE_TYPELESS_PACKAGE_JSON',
        '--import',
        pathToFileURL(`${folder}/prelude.mjs`).href,
        codeFile,
      ],
    },
  ],
  install: 'It comes with The Maestro: install The Maestro again.',
});

export const runtimes: Readonly<Record<Language, Runtime>> = {
  elixir: {
    file: 'code.exs',
    commands: (codeFile) => [{ command: windows ? 'elixir.bat' : 'elixir', args: [codeFile] }],
    install: 'See https://elixir-lang.org/install.html (apt install elixir, brew install elixir).',
  },
  python: {
    file: 'code.py',
    commands: (codeFile) => ['python3', 'python'].map((command) => ({ command, args: [codeFile] })),
    env: (cwd) => ({
      PYTHONPATH: [cwd, process.env['PYTHONPATH']].filter((path) => path).join(windows ? ';' : ':'),
      PYTHONUNBUFFERED: '1',
      PYTHONUTF8: '1',
    }),
    install: 'See https://www.python.org/downloads/ (apt install python3, brew install python).',
  },
  javascript: node('code.js'),
  typescript: node('code.ts'),
  bash: {
    file: 'code.sh',
    commands: (codeFile) => ['bash', '/bin/bash'].map((command) => ({ command, args: [codeFile] })),
    install: windows ? 'It comes with Git for Windows: https://git-scm.com.' : 'Install the package bash.',
  },
};
