import { describe, expect, it } from 'vitest';
import { maestro } from '../support/program.ts';

const commands = [
  'start',
  'demo',
  'run',
  'open',
  'doctor',
  'login',
  'credentials',
  'logout',
  'vault',
  'token',
  'version',
];

describe('help', () => {
  it('names every command', async () => {
    const { code, stdout } = await maestro(['--help']);
    expect(code).toBe(0);
    for (const command of commands) expect(stdout).toMatch(new RegExp(`^  ${command} +[A-Z].*\\.$`, 'm'));
  });

  it.each(commands)('explains %s', async (command) => {
    const { code, stdout, stderr } = await maestro([command, '--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`^Usage: npm run maestro -- ${command}`, 'm'));
    expect((await maestro(['help', command])).stdout).toBe(stdout);
  });

  it('says how to use it, on standard error, when no command is named', async () => {
    const { code, stdout, stderr } = await maestro([]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^Commands:/m);
  });
});

describe('wrong use ends with 2 and says what to do', () => {
  it.each([
    [['strat'], 'There is no command "strat". Did you mean "start"? See: npm run maestro -- --help\n'],
    [['toString'], 'There is no command "toString". See: npm run maestro -- --help\n'],
    [
      ['start', '--prot', '1'],
      '"start" has no option --prot. Did you mean --port? See: npm run maestro -- start --help\n',
    ],
    [['start', '--port'], '--port needs a value: --port PORT. See: npm run maestro -- start --help\n'],
    [['start', '--port', 'x'], '--port must be a whole number from 0 to 65535.\n'],
    [['start', 'now'], '"now" is one word too many for "start". See: npm run maestro -- start --help\n'],
    [['doctor', '--json=yes'], '--json takes no value. See: npm run maestro -- doctor --help\n'],
    [
      ['run', '--provider', 'acme', 'x'],
      '--provider must be one of anthropic, openai, openai_chat, gemini, ollama, compatible, claude_code, acp, not "acme". See: npm run maestro -- run --help\n',
    ],
    [
      ['run', '--access', 'root', 'x'],
      '--access must be one of full, workspace, ask, read_only, not "root". See: npm run maestro -- run --help\n',
    ],
    [['run', '--cwd', '/no/such/folder', 'x'], '--cwd: there is no folder /no/such/folder.\n'],
    [['run', '--timeout', '-1', 'x'], expect.stringContaining('--timeout')],
    [['run', ' '], 'The task is empty. See: npm run maestro -- run --help\n'],
    [['run', 'two', 'words'], '"words" is one word too many for "run". See: npm run maestro -- run --help\n'],
  ])('maestro %j', async (args, message) => {
    expect(await maestro(args)).toEqual({ code: 2, stdout: '', stderr: message });
  });
});

it('tells its version', async () => {
  expect(await maestro(['version'])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
  });
  expect((await maestro(['--version'])).code).toBe(0);
});
