import type { AccessMode, Activity, AuthType, Effort, ProviderFacts, ProviderState } from '@maestro/protocol';

/** What a provider call was for. */
export const activityName: Record<Activity, string> = {
  conversation: 'Conversation',
  tool_use: 'Tool use',
  compaction: 'Compaction',
  title: 'Titles',
  sub_agent: 'Sub-agents',
};

/** Access modes as people read them. */
export const accessModes: Record<AccessMode, { name: string; explanation: string }> = {
  full: {
    name: 'Full access',
    explanation: 'May read and change any file you can, and run any command, without asking.',
  },
  workspace: {
    name: 'Workspace',
    explanation: 'Files only inside the working directory; commands ask first.',
  },
  ask: { name: 'Ask first', explanation: 'Reads freely; every change and every command asks you first.' },
  read_only: { name: 'Read only', explanation: 'May read and search. Nothing is changed, nothing is run.' },
};

export const authTypes: Record<AuthType, string> = {
  api_key: 'API key',
  oauth: 'Account',
  none: 'No credential',
  cli: 'Its own login',
};

export const efforts: readonly (readonly [Effort, string])[] = [
  ['off', 'No thinking'],
  ['low', 'Low'],
  ['medium', 'Medium'],
  ['high', 'High'],
  ['max', 'Maximum'],
];

const places: Record<string, string> = {
  environment: 'the environment',
  'config.json': 'config.json',
  simulator: 'the simulator',
};

/** Where a credential comes from in words; the server says `environment NAME`, `config.json NAME` or `vault: name`. */
export const credentialSource = (source: string | null): string => {
  if (source === null) return 'none';
  if (source.startsWith('vault: ')) return `saved “${source.slice(7)}”`;
  const [place = '', ...name] = source.split(' ');
  const from = places[place];
  return from === undefined ? source : `${name.join(' ')} from ${from}`;
};

/** What a provider's state is called, and the shape of its mark. */
export const providerStates: Record<ProviderState, { name: string; mark: string }> = {
  ready: { name: 'Ready', mark: 'ready' },
  needs_key: { name: 'Needs a key', mark: 'waiting' },
  needs_login: { name: 'Needs a login', mark: 'waiting' },
  not_installed: { name: 'Not installed', mark: 'idle' },
  too_old: { name: 'Too old', mark: 'waiting' },
  unreachable: { name: 'Does not answer', mark: 'failed' },
  no_models: { name: 'Has no models', mark: 'waiting' },
  unknown: { name: 'Not asked yet', mark: 'idle' },
};

/** A provider in a list of choices; where it is known not to be ready its name says so. */
export const providerChoice = ({ name, state }: Pick<ProviderFacts, 'name' | 'state'>): string =>
  state === 'ready' || state === 'unknown'
    ? name
    : `${name} (${providerStates[state].name.replace(/^./, (letter) => letter.toLowerCase())})`;

/** A provider's state in a sentence, with what to do where it is not ready. */
export const providerState = (provider: ProviderFacts): string => {
  const { state, hint, credential, base_url } = provider;
  if (state === 'ready') {
    const ready = credential ? `Ready, with ${credentialSource(credential)}.` : 'Ready.';
    return hint ? `${ready} ${hint}` : ready;
  }
  if (hint) return hint;
  if (state === 'unknown') return 'Not asked yet.';
  if (state === 'unreachable') return `Not ready: ${base_url} does not answer.`;
  return `Not ready: ${providerStates[state].name.toLowerCase()}.`;
};
