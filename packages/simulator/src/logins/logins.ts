import { randomBytes } from 'node:crypto';
import type { LoginProvider } from '@maestro/protocol';
import { now, type RequestKind, type RequestLog, type SeenRequest } from '../request-log.ts';
import type { Scheduler } from '../scheduler.ts';
import { broken, type LoginReply } from './answers.ts';
import { authorizePage } from './authorize.ts';
import { deviceCode, deviceToken } from './device.ts';
import { GoogleAccounts } from './google.ts';
import { type Family, Grants } from './grants.ts';
import { answerRevoke } from './revoke.ts';
import { type LoginRequest, see, send } from './seen.ts';
import {
  type LoginCommand,
  type LoginSwitches,
  TokenFault,
  type TokenFaultInput,
  usualSwitches,
} from './switches.ts';
import { answerToken } from './token.ts';
import { usage } from './usage.ts';
import { type LoginVendor, loginVendors } from './vendors.ts';

/** What a login needs to reach the stand-ins; what is absent is the reference's value. Fits `LoginSettings` of the ports. */
export interface LoginAddresses {
  readonly settings: {
    readonly authorize_url: string;
    readonly token_url: string;
    readonly revoke_url?: string;
    readonly client_id?: string;
    readonly client_secret?: string;
    readonly service_url?: string;
    readonly userinfo_url?: string;
  };
  /** Where calls with a login go. */
  readonly base_url: string;
}

/** The login services of Anthropic, OpenAI and Google, for tests. */
export interface Logins {
  configure(switches: LoginSwitches): void;
  /** Every access token given so far is refused from now on; refresh tokens go on working. */
  expire(provider?: LoginProvider): void;
  /** Every login so far is over at the vendor: calls answer 401, refreshes `invalid_grant`. */
  revoke(provider?: LoginProvider): void;
  /** What becomes of the next `times` token requests (exchange or refresh) of a vendor. */
  fail(provider: LoginProvider, fault: TokenFaultInput, times?: number): void;
  /** Answers what `stall` holds back. */
  release(): void;
  /** The person types a device's code (OpenAI). false: no device shows it. */
  approve(user_code: string): boolean;
  /** A login without its flow, for tests of calls. */
  issue(provider: LoginProvider): Family;
  /** Every login, oldest first, with all its tokens and how often each refresh token came. */
  readonly families: readonly Family[];
}

/** Answers the requests of logins and keeps what they gave. */
export class LoginService implements Logins {
  readonly grants = new Grants();
  readonly vendors: Readonly<Record<LoginProvider, LoginVendor>>;
  readonly google: GoogleAccounts;
  readonly #log: RequestLog;
  readonly #scheduler: Scheduler;
  readonly #faults: { provider: LoginProvider; fault: TokenFault }[] = [];
  readonly #held = new Set<() => void>();
  #switches = usualSwitches;

  constructor(log: RequestLog, scheduler: Scheduler) {
    this.#log = log;
    this.#scheduler = scheduler;
    this.vendors = loginVendors({
      id: `${randomBytes(6).toString('hex')}.apps.googleusercontent.com`,
      secret: `simulated-${randomBytes(12).toString('hex')}`,
    });
    this.google = new GoogleAccounts(this.vendors.gemini, this.grants, () => this.#switches);
  }

  get switches(): Required<LoginSwitches> {
    return this.#switches;
  }

  get families(): readonly Family[] {
    return this.grants.families;
  }

  configure(switches: LoginSwitches): void {
    this.#switches = { ...this.#switches, ...switches };
  }

  expire(provider?: LoginProvider): void {
    for (const family of this.#families(provider))
      for (const token of family.access_tokens) token.ends_at = 0;
  }

  revoke(provider?: LoginProvider): void {
    for (const family of this.#families(provider)) family.revoked = true;
  }

  fail(provider: LoginProvider, fault: TokenFaultInput, times = 1): void {
    const parsed = TokenFault.parse(fault);
    for (let left = times; left > 0; left -= 1) this.#faults.push({ provider, fault: parsed });
  }

  release(): void {
    const held = [...this.#held];
    this.#held.clear();
    for (const answer of held) answer();
  }

  approve(user_code: string): boolean {
    return this.grants.approve(user_code, this.vendors.openai.device_uri ?? '');
  }

  issue(provider: LoginProvider): Family {
    return this.grants.login(provider, this.#switches.lifetime_s ?? this.vendors[provider].lifetime_s);
  }

  /** What a `LoginCommand` that came over HTTP gives. */
  command(command: LoginCommand): object {
    switch (command.do) {
      case 'configure':
        this.configure(command.switches);
        return {};
      case 'expire':
        this.expire(command.provider);
        return {};
      case 'revoke':
        this.revoke(command.provider);
        return {};
      case 'fail':
        this.fail(command.provider, command.fault, command.times);
        return {};
      case 'release':
        this.release();
        return {};
      case 'approve':
        return { approved: this.approve(command.user_code) };
      case 'issue':
        return { family: this.issue(command.provider) };
    }
  }

  /** Switches and faults as at the start; logins stay. */
  reset(): void {
    this.#switches = usualSwitches;
    this.#faults.length = 0;
    this.release();
  }

  /** Nobody is answered any more. */
  close(): void {
    this.#held.clear();
  }

  addresses(provider: LoginProvider, origin: string): LoginAddresses {
    const { authorize, token, revoke, client_id, client_secret } = this.vendors[provider];
    const google =
      client_secret === null
        ? {}
        : { client_id, client_secret, userinfo_url: `${origin}/oauth2/v2/userinfo` };
    return {
      settings: {
        authorize_url: `${origin}${authorize.path}`,
        token_url: `${origin}${token.path}`,
        ...(revoke && { revoke_url: `${origin}${revoke.path}` }),
        ...google,
        ...(provider === 'anthropic' ? {} : { service_url: origin }),
      },
      base_url: provider === 'openai' ? `${origin}/backend-api/codex` : origin,
    };
  }

  /** false: this is no request of a login. */
  handle(request: LoginRequest): boolean {
    const { method = '', url = '' } = request.incoming;
    const [path = '', query = ''] = url.split('?');
    const what = `${method} ${path}`;
    for (const vendor of Object.values(this.vendors)) {
      if (what === `GET ${vendor.authorize.path}`) {
        const reply = authorizePage(vendor, query, this.grants, this.#switches.person);
        return this.#reply(request, 'authorize', reply);
      }
      if (what === `POST ${vendor.token.path}`) return this.#token(request, vendor);
      if (what === `POST ${vendor.revoke?.path}`) return this.#revoke(request, vendor);
    }
    const reply = this.#device(what, request) ?? this.#account(what, request);
    return reply !== undefined && this.#reply(request, reply.kind, reply.answer);
  }

  #families(provider: LoginProvider | undefined): Family[] {
    return this.grants.families.filter((family) => provider === undefined || family.provider === provider);
  }

  #device(what: string, { headers, body }: LoginRequest): Handled | undefined {
    const base = 'POST /api/accounts/deviceauth/';
    if (what !== `${base}usercode` && what !== `${base}token`) return undefined;
    const json = /^application\/json\b/i.test(headers.get('content-type') ?? '') ? record(body) : undefined;
    const answer = what.endsWith('usercode')
      ? deviceCode(this.vendors.openai, this.grants, json, this.#switches.device_interval_s)
      : deviceToken(this.grants, json);
    return { kind: 'device', answer };
  }

  #account(what: string, { headers, body }: LoginRequest): Handled | undefined {
    const used = usage(this.grants, what, headers);
    if (used) return { kind: 'account', answer: used };
    const answer = this.google.answer(what, headers, body.toString('utf8'));
    return answer && { kind: 'account', answer };
  }

  #token(request: LoginRequest, vendor: LoginVendor): true {
    const seen = see(this.#log, request, 'token');
    const index = this.#faults.findIndex(({ provider }) => provider === vendor.provider);
    const [taken] = index < 0 ? [] : this.#faults.splice(index, 1);
    const device_uri = `http://${request.headers.get('host')}/deviceauth/callback`;
    const carryOut = () =>
      answerToken(
        { vendor, grants: this.grants, switches: this.#switches, device_uri },
        request.headers,
        request.body.toString('utf8'),
      );
    const go = () => this.#act(request, seen, vendor, taken?.fault, carryOut);
    const wait = this.#switches.token_delay_ms;
    if (wait === 0) go();
    else this.#scheduler.at(performance.now() + wait, go);
    return true;
  }

  #act(
    { response }: LoginRequest,
    seen: SeenRequest,
    vendor: LoginVendor,
    fault: TokenFault | undefined,
    carryOut: () => LoginReply,
  ): void {
    switch (fault?.kind) {
      case undefined:
        send(this.#log, response, seen, carryOut());
        return;
      case 'status':
        if (fault.done) carryOut();
        send(this.#log, response, seen, broken(vendor.provider, fault.status, fault.retry_after_s));
        return;
      case 'cut':
      case 'lost':
        if (fault.kind === 'lost') carryOut();
        seen.ending = 'cut';
        seen.ended_at = now();
        response.socket?.destroy();
        this.#log.changed(seen);
        return;
      case 'stall': {
        const reply = fault.done ? carryOut() : undefined;
        this.#held.add(() => send(this.#log, response, seen, reply ?? carryOut()));
        seen.ending = 'stalled';
        this.#log.changed(seen);
      }
    }
  }

  #revoke(request: LoginRequest, vendor: LoginVendor): true {
    const { headers, body } = request;
    const seen = see(this.#log, request, 'revoke');
    const carryOut = () => answerRevoke(vendor, this.grants, headers, body.toString('utf8'));
    const { revoking } = this.#switches;
    if (revoking === 'silent') this.#held.add(() => send(this.#log, request.response, seen, carryOut()));
    else
      send(
        this.#log,
        request.response,
        seen,
        revoking === 'works' ? carryOut() : broken(vendor.provider, 503),
      );
    return true;
  }

  #reply(request: LoginRequest, kind: RequestKind, reply: LoginReply): true {
    send(this.#log, request.response, see(this.#log, request, kind), reply);
    return true;
  }
}

interface Handled {
  readonly kind: RequestKind;
  readonly answer: LoginReply;
}

const record = (body: Buffer): Record<string, unknown> | undefined => {
  try {
    const json: unknown = JSON.parse(body.toString('utf8'));
    return typeof json === 'object' && json !== null && !Array.isArray(json) ? { ...json } : undefined;
  } catch {
    return undefined;
  }
};
