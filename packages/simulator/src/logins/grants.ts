import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { LoginProvider } from '@maestro/protocol';

/** A code between the person's yes and the exchange. */
export interface Code {
  readonly code: string;
  readonly provider: LoginProvider;
  readonly redirect_uri: string;
  readonly challenge: string;
  /** null: the device flow has none. */
  readonly state: string | null;
  readonly ends_at: number;
  /** The login it gave; a code that comes again revokes it. */
  used: Family | null;
}

/** One login with everything it gave: for looking at in tests. Times are milliseconds since 1970. */
export interface Family {
  readonly number: number;
  readonly provider: LoginProvider;
  readonly email: string;
  /** ChatGPT account. */
  readonly account_id: string;
  /** Code Assist project. */
  readonly project_id: string;
  /** Of refresh tokens, oldest first; the last is the one that works. */
  readonly refresh_tokens: RefreshToken[];
  readonly access_tokens: AccessToken[];
  /** Token requests that named one of its refresh tokens, whatever was answered. */
  refreshes: number;
  /** A refresh token that had been used before came again: never right where they rotate. */
  reused: boolean;
  revoked: boolean;
}
export interface RefreshToken {
  readonly token: string;
  /** How often it came. */
  times: number;
  spent: boolean;
}
export interface AccessToken {
  readonly token: string;
  ends_at: number;
}

/** A device that waits for its code to be typed (OpenAI). */
export interface Device {
  readonly id: string;
  readonly user_code: string;
  readonly ends_at: number;
  approved: Code | null;
  verifier: string;
}

export const challengeOf = (verifier: string): string =>
  createHash('sha256').update(verifier).digest('base64url');

/** Hex, so that a token never holds a word by chance. */
const random = (bytes = 32): string => randomBytes(bytes).toString('hex');

const ACCESS: Readonly<Record<LoginProvider, () => string>> = {
  anthropic: () => ['sk', 'ant', 'oat01', random()].join('-'),
  openai: () => `chatgpt.${random()}`,
  gemini: () => `ya29.${random()}`,
};
const REFRESH: Readonly<Record<LoginProvider, () => string>> = {
  anthropic: () => ['sk', 'ant', 'ort01', random()].join('-'),
  openai: () => `rt_${random()}`,
  gemini: () => `1//${random()}`,
};

const CODE_LIFE_MS = 10 * 60_000;
const DEVICE_LIFE_MS = 15 * 60_000;

/** Codes and tokens of all vendors, made at random. */
export class Grants {
  readonly families: Family[] = [];
  readonly #codes = new Map<string, Code>();
  readonly #devices = new Map<string, Device>();

  code(provider: LoginProvider, redirect_uri: string, challenge: string, state: string | null): Code {
    const code = { code: random(24), provider, redirect_uri, challenge, state, used: null };
    const made: Code = { ...code, ends_at: Date.now() + CODE_LIFE_MS };
    this.#codes.set(made.code, made);
    return made;
  }

  findCode(code: string): Code | undefined {
    return this.#codes.get(code);
  }

  device(): Device {
    const letters = random(4).toUpperCase();
    const device: Device = {
      id: `deviceauth_${random(12)}`,
      user_code: `${letters.slice(0, 4)}-${letters.slice(4)}`,
      ends_at: Date.now() + DEVICE_LIFE_MS,
      approved: null,
      verifier: '',
    };
    this.#devices.set(device.id, device);
    return device;
  }

  findDevice(id: string): Device | undefined {
    return this.#devices.get(id);
  }

  /** What the person does on the vendor's page. false: no device shows this code. */
  approve(user_code: string, redirect_uri: string): boolean {
    for (const device of this.#devices.values()) {
      if (device.user_code !== user_code || device.approved || device.ends_at < Date.now()) continue;
      device.verifier = randomBytes(48).toString('base64url');
      device.approved = this.code('openai', redirect_uri, challengeOf(device.verifier), null);
      return true;
    }
    return false;
  }

  /** A new login with its first tokens. */
  login(provider: LoginProvider, lifetime_s: number): Family {
    const number = this.families.length + 1;
    const family: Family = {
      number,
      provider,
      email: `person${number}@example.com`,
      account_id: randomUUID(),
      project_id: `project-${random(4)}`,
      refresh_tokens: [],
      access_tokens: [],
      refreshes: 0,
      reused: false,
      revoked: false,
    };
    this.families.push(family);
    this.renew(family, lifetime_s, true);
    return family;
  }

  /** A new access token, and a new refresh token in place of the one before. */
  renew(family: Family, lifetime_s: number, rotate: boolean): void {
    const token = ACCESS[family.provider]();
    family.access_tokens.push({ token, ends_at: Date.now() + lifetime_s * 1000 });
    if (!rotate) return;
    const before = family.refresh_tokens.at(-1);
    if (before) before.spent = true;
    family.refresh_tokens.push({ token: REFRESH[family.provider](), times: 0, spent: false });
  }

  findRefresh(provider: LoginProvider, token: string): { family: Family; entry: RefreshToken } | undefined {
    for (const family of this.families) {
      if (family.provider !== provider) continue;
      const entry = family.refresh_tokens.find((one) => one.token === token);
      if (entry) return { family, entry };
    }
    return undefined;
  }

  findAccess(token: string): { family: Family; entry: AccessToken } | undefined {
    for (const family of this.families) {
      const entry = family.access_tokens.find((one) => one.token === token);
      if (entry) return { family, entry };
    }
    return undefined;
  }
}
