import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isLoopbackUrl, originOf } from './origin.ts';
import { createPresets, onlyShipped, shippedPresets } from './presets.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'maestro-presets-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const own = {
  id: 'mine',
  name: 'Mine',
  base_url: 'https://llm.example.com/v1',
  key_name: 'MINE_KEY',
  auth: 'key',
};
const presetsOf = (content?: string) => {
  const file = join(folder, 'presets.json');
  if (content !== undefined) writeFileSync(file, content);
  const problems: string[] = [];
  return { file, problems, presets: createPresets({ file, report: (problem) => problems.push(problem) }) };
};

describe('shipped presets (P16)', () => {
  it('have each an id and an origin of their own, and a key name where they need a key', () => {
    expect(new Set(shippedPresets.map(({ id }) => id)).size).toBe(shippedPresets.length);
    expect(new Set(shippedPresets.map(({ base_url }) => originOf(base_url))).size).toBe(
      shippedPresets.length,
    );
    for (const preset of shippedPresets) expect(preset.key_name === null).toBe(preset.auth === 'none');
  });

  it('send keys over https only, and call what has none on this machine', () => {
    for (const { auth, base_url } of shippedPresets) {
      expect(base_url.startsWith('https://')).toBe(auth === 'key');
      expect(isLoopbackUrl(base_url)).toBe(auth === 'none');
    }
  });
});

describe('a preset is found by the origin of a base URL (P16)', () => {
  it.each([
    ['https://openrouter.ai/api/v1', 'openrouter'],
    ['https://OpenRouter.ai/api/v1/', 'openrouter'],
    ['https://openrouter.ai:443/api/v1', 'openrouter'],
    ['https://api.deepseek.com/beta', 'deepseek'],
    ['localhost:1234/v1', 'lmstudio'],
    ['http://[::1]:8000/v1', 'vllm'],
    ['http://127.0.0.1:8080', 'llamacpp'],
  ])('%s is %s', (url, id) => expect(onlyShipped.of(url)?.id).toBe(id));

  it.each([
    'http://openrouter.ai/api/v1',
    'https://openrouter.ai.example.com/api/v1',
    'https://example.com/openrouter.ai/api/v1',
    'https://openrouter.ai@example.com/api/v1',
    'https://openrouter.ai:8443/api/v1',
    'https://sub.openrouter.ai/api/v1',
    'http://192.168.1.2:1234/v1',
    'not an address',
    '',
  ])('%s is none', (url) => expect(onlyShipped.of(url)).toBeUndefined());

  it('never for another host, whatever stands around it', () => {
    const text = fc.string({ maxLength: 20 });
    fc.assert(
      fc.property(fc.webUrl({ withQueryParameters: true, withFragments: true }), text, (url, noise) => {
        for (const typed of [url, `${url}/${noise}`, `${url}?u=https://openrouter.ai/api/v1`]) {
          const found = onlyShipped.of(typed);
          if (found !== undefined) expect(new URL(typed).host).toBe(new URL(found.base_url).host);
        }
      }),
      { numRuns: 30 },
    );
  });
});

describe("a person's own presets (P16)", () => {
  it('are read from the file and stand first', () => {
    const { presets, problems } = presetsOf(JSON.stringify({ presets: [own] }));
    expect(presets.list()[0]).toMatchObject({ ...own, habits: {} });
    expect(presets.of('https://llm.example.com/other')?.id).toBe('mine');
    expect(presets.of('https://api.groq.com/openai/v1')?.id).toBe('groq');
    expect(problems).toEqual([]);
  });

  it('take the place of a shipped one of the same id, which is then at its old address no more', () => {
    const { presets } = presetsOf(JSON.stringify({ presets: [{ ...own, id: 'groq' }] }));
    expect(presets.of('https://llm.example.com/v1')?.id).toBe('groq');
    expect(presets.of('https://api.groq.com/openai/v1')).toBeUndefined();
  });

  it('that are wrong are told with place and reason, and the others are used', () => {
    const wrong = [
      { ...own, id: 'Bad Id' },
      { ...own, id: 'a', base_url: 'ftp://x' },
      { ...own, id: 'b', base_url: 'https://user:pw@x.example.com/v1' },
      { ...own, id: 'c', habits: { max_token: 1 } },
      own,
      own,
    ];
    const { presets, problems, file } = presetsOf(JSON.stringify({ presets: wrong }));
    expect(presets.list().filter(({ base_url }) => base_url.includes('example'))).toHaveLength(1);
    expect(problems).toEqual([
      `${file}: presets.0.id must be lower-case letters, digits, - and _. This preset is not used.`,
      `${file}: presets.1.base_url must be an http:// or https:// address. This preset is not used.`,
      `${file}: presets.2.base_url must be an address without a name, a query or a fragment. This preset is not used.`,
      expect.stringContaining('presets.3.habits Unrecognized key: "max_token"'),
      `${file}: presets.5.id "mine" is there twice. The second is not used.`,
    ]);
  });

  it.each([
    ['{', 'cannot be read'],
    ['[]', 'must hold {"presets"'],
  ])('in the file %s break nothing and are told once', (content, words) => {
    const { presets, problems } = presetsOf(content);
    expect(presets.list()).toEqual(shippedPresets);
    presets.list();
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(words);
  });

  it('follow the file while the server runs, and stay when it becomes unreadable', () => {
    const { presets, file, problems } = presetsOf();
    expect(presets.list()).toEqual(shippedPresets);
    writeFileSync(file, JSON.stringify({ presets: [own] }));
    expect(presets.of(own.base_url)?.id).toBe('mine');
    writeFileSync(file, '{"presets": [');
    utimesSync(file, new Date(), new Date(Date.now() + 2000));
    expect(presets.of(own.base_url)?.id).toBe('mine');
    expect(problems).toHaveLength(1);
    rmSync(file);
    expect(presets.of(own.base_url)).toBeUndefined();
  });
});
