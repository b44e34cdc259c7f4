import { parseArgs } from 'node:util';
import { fail, ok, type Result } from '@maestro/ports';

export interface LiveOptions {
  /** USD. */
  readonly cap: number;
  /** Vendors and presets to check; empty: all that have a key. */
  readonly only: readonly string[];
  /** By vendor or preset. */
  readonly models: ReadonlyMap<string, string>;
  readonly help: boolean;
}

export const help = `Checks the real vendors with the keys of the environment: the model list, a short answer, a tool call, usage and price.

  npm run test:live -- [--cap 0.05] [--only anthropic,openai] [--model groq=NAME]

  --cap USD          the most that may be spent in all (default 0.05); counted before each call, at its worst
  --only NAMES       these vendors and presets only; comma between
  --model NAME=MODEL the model to ask; else the cheapest that is known. Of presets only the model list is checked
                     unless a model is named. Repeat it for several.

Base URLs are taken from the environment too (ANTHROPIC_BASE_URL …). Vendors without a key are skipped and named.
Exit code: 0 all that was checked is fine · 1 something is not · 2 nothing was checked, or the options are wrong.`;

export const readOptions = (args: readonly string[]): Result<LiveOptions> => {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        cap: { type: 'string', default: '0.05' },
        only: { type: 'string', default: '' },
        model: { type: 'string', multiple: true, default: [] },
        help: { type: 'boolean', default: false },
      },
    });
    const cap = Number(values.cap);
    if (values.cap.trim() === '' || !Number.isFinite(cap) || cap < 0)
      return fail('invalid', `--cap must be a sum in USD, like 0.05; it is "${values.cap}".`);
    const named = values.model.map((text) => /^([^=]+)=(.+)$/.exec(text));
    const wrong = named.indexOf(null);
    if (wrong >= 0) return fail('invalid', `--model must be like groq=NAME; it is "${values.model[wrong]}".`);
    return ok({
      cap,
      only: values.only.split(',').flatMap((name) => name.trim() || []),
      models: new Map(named.flatMap((match) => (match?.[1] && match[2] ? [[match[1], match[2]]] : []))),
      help: values.help,
    });
  } catch (error) {
    return fail('invalid', error instanceof Error ? error.message : String(error));
  }
};
