import { userInfo } from 'node:os';
import { fail, ok } from '@maestro/ports';
import { PROTOCOL_VERSION } from '@maestro/protocol';
import type { BrowserSessions } from '../access/browser.ts';
import type { Failures } from '../access/failures.ts';
import type { LaunchCodes } from '../access/launch.ts';
import type { ServerDeps } from '../deps.ts';
import type { Handlers } from './handler.ts';

export interface AccessHandlerParts {
  readonly browsers: BrowserSessions;
  readonly codes: LaunchCodes;
  readonly failures: Failures;
  launchUrl(): string;
}

const userName = (): string => {
  try {
    return userInfo().username;
  } catch {
    return 'user'; // the process's uid has no entry in the user database
  }
};

export const accessHandlers = (
  { stores, hub, facts, phase }: ServerDeps,
  { browsers, codes, failures, launchUrl }: AccessHandlerParts,
): Pick<Handlers, 'health' | 'connect' | 'browserLaunch' | 'browserCode' | 'browserLogout'> => ({
  health: (_, context) => {
    const status = phase();
    const up = stores.healthy();
    if (status !== 'ok' || !up) context.status(503);
    const { version, started_at } = facts();
    const uptime_s = Math.max(0, Math.round((Date.now() - Date.parse(started_at)) / 1000));
    return ok({ status, version, database: up ? 'ok' : 'down', uptime_s });
  },

  connect: () =>
    ok({
      server: { version: facts().version, protocol: PROTOCOL_VERSION },
      user: { name: userName() },
      features: ['sessions', 'live', 'blobs', 'credentials', 'tools', 'audit'],
    }),

  browserLaunch: async ({ body }, context) => {
    if (!codes.take(body.code)) {
      const wait = failures.note();
      if (wait !== undefined)
        return fail('rate_limited', `Too many wrong codes. Try again in ${wait} s.`, { retry_after_s: wait });
      return fail(
        'gone',
        'This launch code was used before or is older than 60 s. Make a new one with: maestro open',
        { field: 'body.code' },
      );
    }
    context.header('set-cookie', await browsers.start());
    await stores.audit.write({
      actor: 'browser',
      action: 'browser.login',
      target: 'browser session',
      before: null,
      after: null,
      outcome: 'ok',
      detail: null,
    });
    return ok({ ok: true });
  },

  browserCode: (_, { caller }) =>
    caller?.kind === 'token'
      ? ok({ url: launchUrl() })
      : fail('forbidden', 'Only the holder of the bearer token may let another browser in.'),

  browserLogout: async (_, { caller, header }) => {
    if (caller?.kind !== 'browser') return ok(undefined);
    header('set-cookie', await browsers.end(caller.key));
    hub.closeBrowser(caller.key);
    return ok(undefined);
  },
});
