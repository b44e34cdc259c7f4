// Speaks Claude Code's language of lines as a fault wants it. The fault is FAKE_CLAUDE.
import { spawn } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { createInterface } from 'node:readline';

const fault = process.env['FAKE_CLAUDE'] ?? '';
const args = process.argv.slice(2);
const flagValue = (flag: string): string => args[args.indexOf(flag) + 1] ?? '';
/** What was asked of it before the first turn. */
let initialized: object = {};
let interrupts = 0;
let content: object[] = [];
let said = 0;
const session_id = '5d0a9c40-0000-4000-8000-00000000000a';

const say = (message: object): void => {
  process.stdout.write(`${JSON.stringify({ session_id, parent_tool_use_id: null, ...message })}\n`);
};
const event = (of: object): void => say({ type: 'stream_event', event: of });
const began = (): void => {
  say({ type: 'system', subtype: 'init', model: 'fake-1', apiKeySource: 'none' });
  const usage = { input_tokens: 9, output_tokens: 1 };
  event({ type: 'message_start', message: { id: 'm1', model: 'fake-1', usage } });
  event({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } });
};
const words = (text: string): void =>
  event({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } });
const finished = (): void => {
  event({ type: 'content_block_stop', index: 0 });
  event({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 4 } });
  event({ type: 'message_stop' });
};
const result = (of: object = {}): void =>
  say({ type: 'result', subtype: 'success', is_error: false, stop_reason: 'end_turn', ...of });
const answer = (text: string): void => {
  began();
  words(text);
  finished();
  result();
};

const crash = (): never => {
  process.stderr.write('Segmentation of the whole\n');
  process.exit(139);
};

const turns: Readonly<Record<string, (content: string) => void>> = {
  plain: answer,
  silent: () => undefined,
  // It begins once it is asked what it waits for.
  waits_for_servers: () => undefined,
  // It is not interrupted: it is ended.
  endless: () => {
    process.on('SIGTERM', () => undefined);
    const more = (): void => {
      words('x'.repeat(50_000));
      process.stdout.write('', () => setImmediate(more));
    };
    began();
    more();
  },
  garbage: (content) => {
    process.stdout.write('Warning: this is no JSON\n[1, 2]\n\n{"type":\n');
    answer(content);
  },
  huge: (content) => {
    process.stdout.write(`{"type":"assistant","message":"${'x'.repeat(65 * 1024 * 1024)}"}\n`);
    answer(content);
  },
  crash: () => {
    began();
    words('Half a');
    setImmediate(crash);
  },
  unknown: (content) => {
    say({ type: 'telepathy', of: 'the future' });
    say({ type: 'control_request', request_id: 'x', request: { subtype: 'telepathy' } });
    began();
    event({ type: 'content_block_start', index: 1, content_block: { type: 'hologram' } });
    event({ type: 'content_block_delta', index: 1, delta: { type: 'light', light: 3 } });
    words(content);
    finished();
    result();
  },
  whole: (content) => {
    say({ type: 'system', subtype: 'init', model: 'fake-1', apiKeySource: 'none' });
    const message = (block: object) => ({ id: 'm9', model: 'fake-1', content: [block] });
    say({ type: 'assistant', message: message({ type: 'thinking', thinking: 'Hm.' }) });
    say({ type: 'assistant', message: message({ type: 'text', text: content }) });
    result();
  },
  retried: (content) => {
    const attempt = { attempt: 1, max_retries: 10, retry_delay_ms: 500, error_status: 529 };
    say({ type: 'system', subtype: 'api_retry', ...attempt });
    say({ type: 'system', subtype: 'compact_boundary', compact_metadata: { pre_tokens: 150000 } });
    answer(content);
  },
  cut: (content) => {
    began();
    words('Half');
    event({ type: 'content_block_stop', index: 0 });
    say({ type: 'stream_event', event: { type: 'message_stop' }, abandoned_blocks: { blocks: [] } });
    answer(content);
  },
  too_many: () => {
    began();
    finished();
    result({ subtype: 'error_max_turns', is_error: true, errors: ['Reached maximum number of turns (2)'] });
  },
  no_login: () => {
    const content = [{ type: 'text', text: 'Not logged in · Please run /login' }];
    const error = 'authentication_failed';
    say({ type: 'assistant', error, message: { id: 's', model: '<synthetic>', content } });
    result({ is_error: true, result: 'Not logged in · Please run /login', terminal_reason: 'api_error' });
  },
  forgetful: (content) => {
    if (!args.includes('--resume')) return answer(`New: ${content}`);
    const errors = [`No conversation found with session ID: ${args[args.indexOf('--resume') + 1]}`];
    result({ subtype: 'error_during_execution', is_error: true, errors });
    process.exit(1);
  },
  works: () => {
    began();
    words('Working');
  },
  dies_on_interrupt: () => {
    began();
    words('Working');
  },
  ignores_interrupt: () => {
    began();
    words('Working');
    process.on('SIGTERM', () => undefined);
  },
  blocks: () => answer(JSON.stringify(content)),
  environment: () => answer(JSON.stringify(process.env)),
  arguments: () => {
    const file = flagValue('--mcp-config');
    const mcp = { file, mode: statSync(file).mode % 0o1000, content: readFileSync(file, 'utf8') };
    answer(JSON.stringify({ args, initialized, mcp }));
  },
  // What came before its turn stops nothing.
  slow_to_begin: () => {
    said += 1;
    if (said > 1) return answer(`Turn ${said}`);
    const begin = (): void => {
      if (interrupts === 0) return void setImmediate(begin);
      began();
    };
    begin();
  },
  leaves: () => {
    const left = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
    began();
    words(`${left.pid}`);
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), 50);
  },
};

if (args.includes('--version')) {
  console.log(
    fault === 'old' ? '1.0.2 (Claude Code)' : fault === 'other' ? 'hello' : '2.1.329 (Claude Code)',
  );
} else if (args[0] === 'auth') {
  const loggedIn = fault !== 'no_login';
  console.log(JSON.stringify({ loggedIn }));
  process.exit(loggedIn ? 0 : 1);
} else if (fault === 'bad_flag') {
  process.stderr.write("error: unknown option '--system-prompt-snapshot'\n");
  process.exit(1);
} else {
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    const message = JSON.parse(line);
    if (message.type === 'user') {
      content = message.message.content;
      const last = message.message.content.at(-1)?.text ?? '';
      turns[fault]?.(
        message.message.content.length > 1 ? `${message.message.content[0].text} ${last}` : last,
      );
    }
    if (message.request?.subtype === 'mcp_status' && fault === 'waits_for_servers') {
      const mcpServers = [
        { name: 'mute', status: 'pending' },
        { name: 'files', status: 'connected' },
      ];
      const response = { subtype: 'success', request_id: message.request_id, response: { mcpServers } };
      say({ type: 'control_response', response });
      answer(`Began without it after ${process.env['MCP_TIMEOUT']} ms.`);
    }
    if (message.request?.subtype === 'initialize') initialized = message.request;
    if (message.request?.subtype !== 'interrupt') return;
    interrupts += 1;
    if (fault === 'slow_to_begin' && interrupts === 2)
      result({ subtype: 'error_during_execution', is_error: true });
    if (fault === 'dies_on_interrupt') process.exit(1);
    if (fault === 'works') result({ subtype: 'error_during_execution', is_error: true });
  });
  // Like the real one in the middle of a turn, it does not end with its input.
  if (/works|ignores|dies|silent/.test(fault)) setInterval(() => undefined, 1000);
}
