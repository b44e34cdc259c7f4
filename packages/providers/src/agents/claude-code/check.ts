import { execFile } from 'node:child_process';
import type { ProviderError, Result } from '@maestro/ports';
import { fields, parseJson, text } from '../../vendors/shared/json.ts';
import { died, errorOf } from './errors.ts';

const patience_ms = 60_000;

/** One short question without tools, to its end. */
export const checkCall = (
  program: string,
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Result<{ message: string }, ProviderError>> =>
  new Promise((resolve) => {
    const args = ['-p', 'Say: ready.', '--output-format', 'json', '--tools', '', '--no-session-persistence'];
    const options = { env, signal, timeout: patience_ms, windowsHide: true };
    const child = execFile(program, args, options, (failure, stdout, stderr) => {
      const result = fields(parseJson(stdout));
      if (text(result['type']) !== 'result') {
        const how = failure ? failure.message.split('\n', 1)[0] : 'no answer';
        resolve({ ok: false, error: died(how ?? '', stderr.trim()) });
        return;
      }
      const error = errorOf(result, undefined);
      const said = text(result['result'])?.trim().slice(0, 100) ?? '';
      resolve(error ? { ok: false, error } : { ok: true, value: { message: `Claude Code says: ${said}` } });
    });
    child.stdin?.end();
  });
