import type { IncomingMessage, ServerResponse } from 'node:http';
import { LoginProvider } from '@maestro/protocol';
import { z } from 'zod';
import type { LoginService } from './logins/logins.ts';
import { LoginCommand } from './logins/switches.ts';
import type { SeenRequest } from './request-log.ts';
import { Scenario } from './scenario.ts';
import { Match } from './script.ts';
import type { Simulator } from './simulator.ts';

const ScriptBody = z.strictObject({ scenarios: z.array(Scenario).min(1), match: Match.default({}) });
const SettingsBody = z.strictObject({
  tokens_per_second: z.number().nonnegative().optional(),
  tokens_per_chunk: z.int().positive().optional(),
  context_tokens: z.int().positive().optional(),
  refuse_betas: z.array(z.string()).optional(),
});

/** The simulator's own HTTP door, for tests in another process: what `Simulator` does, under `/__control/`. */
export class Control {
  readonly #simulator: Simulator;
  readonly #logins: LoginService;

  constructor(simulator: Simulator, logins: LoginService) {
    this.#simulator = simulator;
    this.#logins = logins;
  }

  handle(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
    const url = new URL(request.url ?? '', 'http://simulator');
    const answer = this.#answer(`${request.method} ${url.pathname}`, url.searchParams, body);
    response.writeHead(answer.status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer.body));
  }

  #answer(what: string, query: URLSearchParams, body: Buffer): { status: number; body: unknown } {
    switch (what) {
      case 'POST /__control/script': {
        const parsed = ScriptBody.safeParse(parse(body));
        if (!parsed.success) return refused(parsed.error);
        this.#simulator.script(parsed.data.scenarios, parsed.data.match);
        return { status: 200, body: { queued: parsed.data.scenarios.length } };
      }
      case 'POST /__control/settings': {
        const parsed = SettingsBody.safeParse(parse(body));
        if (!parsed.success) return refused(parsed.error);
        this.#simulator.configure(parsed.data);
        return { status: 200, body: {} };
      }
      case 'POST /__control/logins': {
        const parsed = LoginCommand.safeParse(parse(body));
        if (!parsed.success) return refused(parsed.error);
        return { status: 200, body: this.#logins.command(parsed.data) };
      }
      case 'GET /__control/logins': {
        const { origin } = this.#simulator;
        const addresses = LoginProvider.options.map((provider) => [
          provider,
          this.#logins.addresses(provider, origin),
        ]);
        return {
          status: 200,
          body: { addresses: Object.fromEntries(addresses), families: this.#logins.families },
        };
      }
      case 'POST /__control/reset':
        this.#simulator.reset();
        return { status: 200, body: {} };
      case 'GET /__control/requests': {
        const after = Number(query.get('after') ?? 0);
        const newer = this.#simulator.requests.filter(({ number }) => number > after);
        return { status: 200, body: { requests: newer.map(told) } };
      }
      default:
        return {
          status: 404,
          body: {
            error: `${what} is no control; there are script, settings, logins, reset (POST), requests and logins (GET).`,
          },
        };
    }
  }
}

/** A request as text: the body is UTF-8. */
const told = ({ body, ...rest }: SeenRequest) => ({ ...rest, body: body.toString('utf8') });

const refused = (error: z.ZodError) => ({ status: 400, body: { error: z.prettifyError(error) } });

const parse = (body: Buffer): unknown => {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (error) {
    return `not JSON: ${String(error)}`;
  }
};
