import { existsSync } from 'node:fs';
import { chmod, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Tool, ToolResult } from '@maestro/ports';
import { SessionId } from '@maestro/protocol';
import { onTestFinished } from 'vitest';

/** A real folder, gone after the test. */
export const testFolder = async (): Promise<string> => {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'maestro-test-')));
  onTestFinished(async () => {
    // A test may have closed or removed it.
    if (existsSync(folder)) await chmod(folder, 0o755);
    await rm(folder, { recursive: true, force: true });
  });
  return folder;
};

export interface Call {
  readonly text: string;
  readonly result: ToolResult;
  readonly stdout: string;
  readonly stderr: string;
}

/** Calls a tool as the engine does: input checked first, live output gathered. */
export const call = async (
  tool: Tool,
  input: unknown,
  working_directory: string,
  {
    signal = new AbortController().signal,
    onReport,
  }: { signal?: AbortSignal; onReport?: (text: string) => void } = {},
): Promise<Call> => {
  const live = { stdout: '', stderr: '' };
  const result = await tool.execute(tool.input.parse(input), {
    session_id: SessionId.parse('ses_test'),
    working_directory,
    access: 'full',
    signal,
    report: (stream, text) => {
      live[stream] += text;
      onReport?.(text);
    },
  });
  const text = result.content
    .map((part) => (part.type === 'text' ? part.text : `<${part.media_type}>`))
    .join('');
  return { text, result, ...live };
};

/** Runs `body` without the powers of root, which no permission stops. */
export const asPlainUser = async <T>(body: () => Promise<T>): Promise<T> => {
  if (process.geteuid?.() !== 0) return body();
  const nobody = 65_534;
  process.setegid?.(nobody);
  process.seteuid?.(nobody);
  try {
    return await body();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
  }
};

/** Waits until `ready`, asking every 10 ms; fails after five seconds. */
export const until = async (what: string, ready: () => boolean | Promise<boolean>): Promise<void> => {
  const end = performance.now() + 5_000;
  while (!(await ready())) {
    if (performance.now() > end) throw new Error(`not within 5 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};
