import type { Failure, FailureKind } from '../scenario.ts';

/** What a person can ask the built-in agent for. */
export type Command =
  | { readonly type: 'upper'; readonly from: string; readonly to: string }
  | { readonly type: 'copy'; readonly from: string; readonly to: string }
  | { readonly type: 'read'; readonly paths: readonly string[] }
  | { readonly type: 'write'; readonly path: string; readonly content: string }
  | { readonly type: 'edit'; readonly path: string; readonly old: string; readonly new: string }
  | { readonly type: 'list'; readonly path: string }
  | { readonly type: 'glob'; readonly pattern: string }
  | { readonly type: 'search'; readonly pattern: string; readonly path: string | undefined }
  | { readonly type: 'shell'; readonly command: string }
  | { readonly type: 'code'; readonly language: string; readonly code: string }
  | { readonly type: 'words'; readonly count: number; readonly topic: string }
  | { readonly type: 'showcase' }
  | { readonly type: 'think'; readonly topic: string }
  | { readonly type: 'fail'; readonly how: Fault; readonly times: number }
  | { readonly type: 'say'; readonly text: string }
  | { readonly type: 'hello' }
  | { readonly type: 'help' };

export type Fault =
  | { readonly type: 'failure'; readonly failure: Failure; readonly in_stream: boolean }
  | { readonly type: 'cut' | 'stall' | 'garbage' | 'html' | 'reset' | 'end' };

const bare = (text: string): string =>
  text
    .trim()
    .replace(/^[`"'“]|[`"'”.?!]$/g, '')
    .replace(/[`"'”]$/, '');
const file = '[`"\']?([^\\s`"\',]+)[`"\']?';

type Rule = readonly [RegExp, (match: RegExpExecArray) => Command | undefined];
const group = (match: RegExpExecArray, index: number): string => match[index] ?? '';

const RULES: readonly Rule[] = [
  [
    new RegExp(
      `read ${file},? and write (?:it |its |the )?(?:in |text in )?upper ?-?case(?:d)?(?: of it| version| text)? (?:in)?to ${file}`,
      'i',
    ),
    (m) => ({ type: 'upper', from: bare(group(m, 1)), to: bare(group(m, 2)) }),
  ],
  [
    new RegExp(`(?:copy|read) ${file},? (?:and write it )?(?:in)?to ${file}`, 'i'),
    (m) => ({ type: 'copy', from: bare(group(m, 1)), to: bare(group(m, 2)) }),
  ],
  [
    /(?:run|execute) (?:this )?(elixir|python|javascript|typescript|bash)(?: code)?\s*:?\s*(?:```\w*\n)?([\s\S]+?)(?:```)?\s*$/i,
    (m) => ({ type: 'code', language: group(m, 1).toLowerCase(), code: group(m, 2).trim() }),
  ],
  [
    /^\s*(?:please )?(?:run|execute)(?: the command)?:? +([\s\S]+)$/i,
    (m) => ({
      type: 'shell',
      command: group(m, 1)
        .trim()
        .replace(/^`([\s\S]*)`$/, '$1'),
    }),
  ],
  [
    new RegExp(`edit ${file},? ?(?:and )?(?:replace|change) ([\\s\\S]+?) (?:by|with|to) ([\\s\\S]+)$`, 'i'),
    (m) => ({ type: 'edit', path: bare(group(m, 1)), old: bare(group(m, 2)), new: bare(group(m, 3)) }),
  ],
  [
    new RegExp(`(?:replace|change) ([\\s\\S]+?) (?:by|with|to) ([\\s\\S]+?) in ${file}\\s*$`, 'i'),
    (m) => ({ type: 'edit', path: bare(group(m, 3)), old: bare(group(m, 1)), new: bare(group(m, 2)) }),
  ],
  [/find files? (?:named |like )?(\S+)/i, (m) => ({ type: 'glob', pattern: bare(group(m, 1)) })],
  [/^\s*glob (\S+)/i, (m) => ({ type: 'glob', pattern: bare(group(m, 1)) })],
  [
    /(?:search|look|grep) for (.+?)(?: in (\S+))?\s*$/i,
    (m) => ({
      type: 'search',
      pattern: bare(group(m, 1)),
      path: m[2] === undefined ? undefined : bare(m[2]),
    }),
  ],
  [
    /list (?:the |all )?(?:files|folder|directory)(?: (?:in|of) (\S+))?/i,
    (m) => ({ type: 'list', path: bare(m[1] ?? '.') || '.' }),
  ],
  [
    /write (?:about )?(\d+) words(?: (?:about|on) (.+?))?\s*(?:at \d+ tokens.*)?$/i,
    (m) => ({
      type: 'words',
      count: Math.min(Number(group(m, 1)), 200_000),
      topic: bare(m[2] ?? 'orchestras'),
    }),
  ],
  [
    new RegExp(`write ["“]?([\\s\\S]+?)["”]? (?:in)?to ${file}\\s*$`, 'i'),
    (m) => ({ type: 'write', path: bare(group(m, 2)), content: group(m, 1) }),
  ],
  [
    new RegExp(`create (?:the |a )?(?:file )?${file} (?:with|containing):?\\s+([\\s\\S]+)$`, 'i'),
    (m) => ({ type: 'write', path: bare(group(m, 1)), content: group(m, 2) }),
  ],
  [/fail(?: (once|twice|\d+ times))? (?:with|by) (.+)$/i, (m) => failCommand(group(m, 1), group(m, 2))],
  [
    /^\s*(?:please )?(?:read|show|open) ((?:[^\s,]+\.[^\s,]+(?:,? and |, ?)?)+)/i,
    (m) => ({
      type: 'read',
      paths: group(m, 1)
        .split(/,? and |, ?/)
        .map(bare)
        .filter(Boolean),
    }),
  ],
  [/markdown|showcase|what can you render/i, () => ({ type: 'showcase' })],
  [
    /^\s*(?:please )?think (?:hard )?(?:about|of) (.+)$/i,
    (m) => ({ type: 'think', topic: bare(group(m, 1)) }),
  ],
  [/^\s*say (.+)$/is, (m) => ({ type: 'say', text: group(m, 1) })],
  [/^\s*(?:hi|hello|hey|good (?:morning|evening|day))\b/i, () => ({ type: 'hello' })],
];

export const commandOf = (text: string): Command => {
  for (const [pattern, build] of RULES) {
    const match = pattern.exec(text);
    const command = match && build(match);
    if (command) return command;
  }
  return { type: 'help' };
};

/** `Continue.`: go on with what was asked before. */
export const isContinue = (text: string): boolean =>
  /^\W*(?:please )?(?:continue|go on|resume|carry on)\b.{0,40}$/i.test(text.trim());

/** `at 50 tokens per second`. */
export const rateIn = (text: string): number | undefined => {
  const rate = /at (\d+) tokens(?: per|\/| a )\s*s/i.exec(text)?.[1];
  return rate === undefined ? undefined : Number(rate);
};

const KINDS: readonly (readonly [RegExp, FailureKind])[] = [
  [/\b529\b|\b503\b|overload/i, 'overloaded'],
  [/quota|spend/i, 'quota'],
  [/\b429\b|rate/i, 'rate_limit'],
  [/\b401\b|auth/i, 'auth'],
  [/\b402\b|billing|credit/i, 'billing'],
  [/\b403\b|permission/i, 'permission'],
  [/\b404\b|not.found/i, 'not_found'],
  [/\b409\b|conflict/i, 'conflict'],
  [/\b413\b|too.large/i, 'too_large'],
  [/\b504\b|time.?out/i, 'timeout'],
  [/\b50\d\b|server/i, 'server'],
  [/overflow|too.long|context/i, 'overflow'],
  [/beta|header/i, 'beta_header'],
  [/\b400\b|invalid/i, 'invalid'],
];

const failCommand = (count: string, what: string): Command | undefined => {
  const how = faultOf(what);
  const times =
    count === ''
      ? Number.POSITIVE_INFINITY
      : /once/i.test(count)
        ? 1
        : /twice/i.test(count)
          ? 2
          : Number.parseInt(count, 10);
  return how && { type: 'fail', how, times };
};

const faultOf = (what: string): Fault | undefined => {
  if (/\bcut\b/i.test(what)) return { type: 'cut' };
  if (/stall|hang/i.test(what)) return { type: 'stall' };
  if (/garbage/i.test(what)) return { type: 'garbage' };
  if (/html|\b502\b/i.test(what)) return { type: 'html' };
  if (/reset/i.test(what)) return { type: 'reset' };
  if (/early end|silent end/i.test(what)) return { type: 'end' };
  const kind = KINDS.find(([pattern]) => pattern.test(what))?.[1];
  return kind && { type: 'failure', failure: { kind }, in_stream: /stream|midway/i.test(what) };
};
