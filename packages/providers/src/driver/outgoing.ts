import { createHash, randomUUID } from 'node:crypto';
import { arch, platform } from 'node:process';
import type { ProviderError, ResolvedCredential, Result } from '@maestro/ports';
import type { Vendor } from '../vendor.ts';
import {
  bindHeaders,
  type HeaderProfile,
  type PlaceholderName,
  type Placeholders,
} from '../wire/header-profile.ts';
import { createMask, type Mask } from '../wire/mask.ts';
import type { HeaderPair } from '../wire/wire.ts';

const stainlessOs: Readonly<Record<string, string>> = {
  linux: 'Linux',
  darwin: 'MacOS',
  win32: 'Windows',
  freebsd: 'FreeBSD',
  openbsd: 'OpenBSD',
};

export interface HeadInput {
  readonly url: string;
  readonly body: Uint8Array | null;
  readonly credential: ResolvedCredential | null;
  readonly model: string;
  readonly session_id?: string;
  /** 0 for the first sending. */
  readonly retry_count: number;
}

/** The values of a call that its header profile may name. */
const valuesOf = (input: HeadInput): Placeholders => {
  const { credential } = input;
  const secret = credential === null || credential.secret === '' ? undefined : credential.secret;
  return {
    api_key: secret,
    access_token: secret,
    account_id: credential?.account_id || undefined,
    org_id: credential?.org_id || undefined,
    model: input.model,
    host: URL.parse(input.url)?.host ?? '',
    length: String(input.body?.length ?? 0),
    session_id: input.session_id ?? randomUUID(),
    platform,
    arch,
    stainless_os: stainlessOs[platform] ?? `Other:${platform}`,
    stainless_arch: arch === 'ia32' ? 'x32' : arch,
    retry_count: String(input.retry_count),
  };
};

/** The headers of one sending under a profile, or in words what it lacks. */
export const bindHead = (
  vendor: Vendor,
  profiles: ReadonlyMap<string, HeaderProfile>,
  id: string,
  input: HeadInput,
): Result<readonly HeaderPair[], ProviderError> => {
  const profile = profiles.get(id);
  if (!profile) {
    return {
      ok: false,
      error: {
        cause: 'invalid_request',
        message: `The header profile ${id} is not known.`,
        remedy: `Choose another profile for this credential, or put ${id}.json into the profiles folder.`,
      },
    };
  }
  const bound = bindHeaders(profile, valuesOf(input), input.body !== null);
  return bound.ok ? bound : { ok: false, error: missing(vendor, id, bound.error) };
};

const missing = (vendor: Vendor, profile: string, name: PlaceholderName): ProviderError => {
  if (name === 'api_key' || name === 'access_token') {
    const variable = vendor.key_names[0];
    return {
      cause: 'auth',
      message: `There is no credential for ${vendor.name}.`,
      remedy: `${variable === undefined ? 'Save' : `Set ${variable}, or save`} a credential under Keys & accounts.`,
    };
  }
  return {
    cause: 'invalid_request',
    message: `The header profile ${profile} needs ${name}, which this credential does not have.`,
    remedy: 'Choose another profile for this credential.',
  };
};

export const joinUrl = (base: string, path: string): string =>
  `${base.replace(/\/+$/, '')}${path.startsWith('/') ? '' : '/'}${path}`;

/** Calls that share the vendor's rate limit: one key and model. The key is not in it. */
export const laneOf = (credential: ResolvedCredential | null, model: string): string =>
  `${createHash('sha256')
    .update(credential?.secret ?? '')
    .digest('base64url')
    .slice(0, 16)} ${model}`;

export const maskOf = (credential: ResolvedCredential | null): Mask => createMask([credential?.secret]);

/** An error without secrets, even where the vendor repeats them. */
export const maskError = (error: ProviderError, mask: Mask): ProviderError => ({
  ...error,
  message: mask.text(error.message),
  ...(error.remedy !== undefined && { remedy: mask.text(error.remedy) }),
  ...(error.vendor_code !== undefined && { vendor_code: mask.text(error.vendor_code) }),
  ...(error.request_id !== undefined && { request_id: mask.text(error.request_id) }),
});
