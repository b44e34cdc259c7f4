import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Sent } from '../answer.ts';
import { flawOf } from '../wires/shape.ts';
import { accessOf } from './access.ts';
import { given, googleRefusal, type LoginReply } from './answers.ts';
import type { Family, Grants } from './grants.ts';
import type { LoginSwitches } from './switches.ts';
import type { LoginVendor } from './vendors.ts';

const metadata = z.strictObject({
  ideType: z.literal('IDE_UNSPECIFIED'),
  platform: z.literal('PLATFORM_UNSPECIFIED'),
  pluginType: z.literal('GEMINI'),
  duetProject: z.string().optional(),
});
const LoadBody = z.strictObject({ cloudaicompanionProject: z.string().optional(), metadata });
const OnboardBody = z.strictObject({
  tierId: z.string(),
  cloudaicompanionProject: z.string().optional(),
  metadata,
});
const QuotaBody = z.strictObject({ project: z.string() });

const FREE = { id: 'free-tier', name: 'Gemini Code Assist for individuals' };
const PAID = { id: 'standard-tier', name: 'Gemini Code Assist' };

interface Operation {
  readonly name: string;
  readonly project: string;
  asked: number;
}

/** Google's account services: who it is, and the Code Assist hand-shake (`loadCodeAssist`, `onboardUser`, its operation). */
export class GoogleAccounts {
  readonly #vendor: LoginVendor;
  readonly #grants: Grants;
  readonly #switches: () => Required<LoginSwitches>;
  readonly #operations = new Map<string, Operation>();
  /** Projects that a login was given by onboarding, by its number. */
  readonly #onboarded = new Map<number, string>();

  constructor(vendor: LoginVendor, grants: Grants, switches: () => Required<LoginSwitches>) {
    this.#vendor = vendor;
    this.#grants = grants;
    this.#switches = switches;
  }

  /** The project that calls of this login have to name; undefined: it has none yet. */
  projectOf(family: Family): string | undefined {
    return (
      this.#onboarded.get(family.number) ??
      (this.#switches().code_assist === 'ready' ? family.project_id : undefined)
    );
  }

  /** undefined: Google has no such path. */
  answer(what: string, headers: ReadonlyMap<string, string>, body: string): LoginReply | undefined {
    const handler = this.#handler(what);
    if (!handler) return undefined;
    const access = accessOf(this.#grants, 'gemini', headers);
    return typeof access === 'string' ? unauthenticated(access) : handler(access, body);
  }

  #handler(what: string): ((family: Family, body: string) => LoginReply) | undefined {
    if (what === 'GET /oauth2/v2/userinfo')
      return (family) => given({ ...who(family), verified_email: true });
    if (what === 'POST /tokeninfo') return (family, body) => this.#tokenInfo(family, body);
    if (what === 'POST /v1internal:loadCodeAssist')
      return (family, body) => checked(LoadBody, body, (asked) => this.#load(family, asked));
    if (what === 'POST /v1internal:onboardUser')
      return (family, body) => checked(OnboardBody, body, (asked) => this.#onboard(family, asked));
    if (what === 'POST /v1internal:retrieveUserQuota')
      return (family, body) => checked(QuotaBody, body, (asked) => this.#quota(family, asked.project));
    const operation = /^GET \/v1internal\/(operations\/[^/]+)$/.exec(what)?.[1];
    return operation === undefined ? undefined : () => this.#poll(operation);
  }

  #tokenInfo(family: Family, body: string): LoginReply {
    if (body !== '') return googleRefusal(400, 'INVALID_ARGUMENT', 'tokeninfo: the body must be empty');
    const client = this.#vendor.client_id;
    const scope = this.#vendor.scopes.join(' ');
    return given({ azp: client, aud: client, scope, expires_in: '3599', email: family.email });
  }

  #load(family: Family, asked: z.infer<typeof LoadBody>): LoginReply {
    const state = this.#switches().code_assist;
    const allowedTiers = [
      { ...FREE, isDefault: true },
      { ...PAID, userDefinedCloudaicompanionProject: true },
    ];
    const onboarded = this.#onboarded.get(family.number);
    if (state === 'ready' || onboarded !== undefined) {
      const cloudaicompanionProject = onboarded ?? family.project_id;
      return given({ currentTier: FREE, allowedTiers, cloudaicompanionProject, gcpManaged: false });
    }
    if (state === 'ineligible') {
      const reason = {
        reasonCode: 'UNSUPPORTED_LOCATION',
        reasonMessage: 'Gemini Code Assist for individuals is not available in your location.',
        tierId: FREE.id,
        tierName: FREE.name,
      };
      return given({ allowedTiers: [], ineligibleTiers: [reason] });
    }
    if (state === 'own_project') {
      const { cloudaicompanionProject } = asked;
      const tiers: Sent = [{ ...PAID, isDefault: true, userDefinedCloudaicompanionProject: true }];
      return given({
        allowedTiers: tiers,
        ...(cloudaicompanionProject === undefined ? {} : { cloudaicompanionProject }),
      });
    }
    return given({ allowedTiers });
  }

  #onboard(family: Family, asked: z.infer<typeof OnboardBody>): LoginReply {
    const { tierId, cloudaicompanionProject: named } = asked;
    // What a client asks for that was offered no tier: it is entered, and gets no project.
    if (tierId === 'legacy-tier') return given({ name: 'operations/legacy', done: true, response: {} });
    if (tierId !== FREE.id && tierId !== PAID.id)
      return googleRefusal(400, 'INVALID_ARGUMENT', `tierId: ${tierId} is not a tier.`);
    if (tierId === FREE.id && named !== undefined)
      return googleRefusal(
        412,
        'FAILED_PRECONDITION',
        'Precondition check failed: the free tier takes no project.',
      );
    if (tierId === PAID.id && named === undefined)
      return googleRefusal(400, 'INVALID_ARGUMENT', 'cloudaicompanionProject: required for this tier.');
    const project = named ?? family.project_id;
    this.#onboarded.set(family.number, project);
    const name = `operations/${randomBytes(8).toString('hex')}`;
    const operation = { name, project, asked: 0 };
    this.#operations.set(name, operation);
    return this.#state(operation);
  }

  #poll(name: string): LoginReply {
    const operation = this.#operations.get(name);
    if (!operation) return googleRefusal(404, 'NOT_FOUND', `${name} is not known.`);
    operation.asked += 1;
    return this.#state(operation);
  }

  #state({ name, project, asked }: Operation): LoginReply {
    if (asked < this.#switches().onboarding_polls) return given({ name });
    const response = {
      '@type': 'type.googleapis.com/google.internal.cloud.code.v1internal.OnboardUserResponse',
      cloudaicompanionProject: { id: project, name: project, projectNumber: '1' },
    };
    return given({ name, done: true, response });
  }

  #quota(family: Family, project: string): LoginReply {
    if (project !== this.projectOf(family)) return foreignProject(project);
    const bucket = { modelId: 'gemini-2.5-pro', tokenType: 'REQUESTS', remainingFraction: 0.9 };
    return given({ buckets: [{ ...bucket, resetTime: new Date(Date.now() + 3_600_000).toISOString() }] });
  }
}

const who = ({ number, email }: Family) => ({
  id: `1000${number}`,
  email,
  name: `Person ${number}`,
  picture: '',
});

export const foreignProject = (project: string): LoginReply =>
  googleRefusal(
    403,
    'PERMISSION_DENIED',
    `Permission 'cloudaicompanion.companions.generateChat' denied on resource '//cloudresourcemanager.googleapis.com/projects/${project}' (or it may not exist).`,
    'IAM_PERMISSION_DENIED',
  );

/** Google's words for a missing, unknown or expired token: all three are 401. */
export const UNAUTHENTICATED =
  'Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.';

const unauthenticated = (access: string): LoginReply => {
  const reason = access === 'missing' ? 'CREDENTIALS_MISSING' : 'ACCESS_TOKEN_EXPIRED';
  return {
    ...googleRefusal(401, 'UNAUTHENTICATED', UNAUTHENTICATED, reason),
    refused: `access token ${access}`,
  };
};

const checked = <T>(shape: z.ZodType<T>, body: string, then: (asked: T) => LoginReply): LoginReply => {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return googleRefusal(400, 'INVALID_ARGUMENT', 'Invalid JSON payload received.');
  }
  const parsed = shape.safeParse(json);
  if (parsed.success) return then(parsed.data);
  const { path, kind, detail } = flawOf(parsed.error);
  return googleRefusal(400, 'INVALID_ARGUMENT', `Invalid value at '${path.join('.')}': ${kind} ${detail}`);
};
