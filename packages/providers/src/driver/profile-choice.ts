import type { ProfileMemory, ResolvedCredential } from '@maestro/ports';
import { type AuthType, shownUrl } from '@maestro/protocol';
import type { Vendor } from '../vendor.ts';

export interface ProfileChoice {
  readonly id: string;
  /** The next of the ladder, tried once when a beta or version header is refused. */
  readonly next: string | undefined;
}

export const authTypeOf = (vendor: Vendor, credential: ResolvedCredential | null): AuthType =>
  credential?.auth_type ?? vendor.auth_types[0] ?? 'none';

const ladderOf = (vendor: Vendor, authType: AuthType): readonly string[] =>
  vendor.profiles[authType] ?? Object.values(vendor.profiles)[0] ?? [];

/** The memory's key, fit for logs: a base URL, kept apart where the same URL is also used with a login. */
export const endpointOf = (
  vendor: Vendor,
  credential: ResolvedCredential | null,
  baseUrl: string,
): string => {
  const authType = authTypeOf(vendor, credential);
  const shown = shownUrl(baseUrl);
  return authType === 'oauth' || authType === 'cli' ? `${shown}#${authType}` : shown;
};

/**
 * The profile of a call: what the credential names (an id, or the beginning of one of this vendor's: `maestro-spec`),
 * else what was remembered after a refusal, else the vendor's first. A named one has no next: it was asked for.
 */
export const chooseProfile = (
  vendor: Vendor,
  memory: ProfileMemory,
  credential: ResolvedCredential | null,
  baseUrl: string,
  known: ReadonlyMap<string, unknown>,
): ProfileChoice => {
  const ladder = ladderOf(vendor, authTypeOf(vendor, credential));
  const named = credential?.profile;
  if (named !== null && named !== undefined) {
    const all = [...ladder, ...Object.values(vendor.profiles).flat()];
    const id = known.has(named) ? named : (all.find((other) => other.startsWith(`${named}-`)) ?? named);
    return { id, next: undefined };
  }
  const remembered = memory.get(vendor.id, endpointOf(vendor, credential, baseUrl));
  const place = remembered === undefined ? 0 : Math.max(0, ladder.indexOf(remembered));
  return { id: ladder[place] ?? 'maestro-plain', next: ladder[place + 1] };
};

const betaWords =
  /\b(anthropic|openai)-(beta|version)\b|\b(unknown|invalid|unsupported|unexpected|unrecognized) beta\b|\bbeta (header|requested)\b|\bversion header\b/i;

/** Does the body of a 400 blame a beta or version header? */
export const blamesProfile = (status: number | null, body: string): boolean =>
  status === 400 && betaWords.test(body);
