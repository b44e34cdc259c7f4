import type { AccessMode, Activity, AuthType, Effort, ProviderFacts } from '@maestro/protocol';

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
  oauth: 'Account (OAuth)',
  none: 'No credential',
  cli: 'Command-line login',
};

export const efforts: readonly (readonly [Effort, string])[] = [
  ['off', 'No thinking'],
  ['low', 'Low'],
  ['medium', 'Medium'],
  ['high', 'High'],
  ['max', 'Maximum'],
];

const places: Record<string, string> = { environment: 'the environment', simulator: 'the simulator' };

/** Where a credential comes from in words; the server says `environment NAME`, `config.json NAME` or `vault: name`. */
export const credentialSource = (source: string | null): string => {
  if (source === null) return 'none';
  if (source.startsWith('vault: ')) return `saved key “${source.slice(7)}”`;
  const [place = '', ...name] = source.split(' ');
  return name.length === 0 ? source : `${name.join(' ')} from ${places[place] ?? place}`;
};

/** A provider's state in a sentence, with what to do where it is not ready. */
export const providerState = (provider: ProviderFacts): string => {
  if (provider.state === 'ready')
    return provider.credential ? `Ready, with ${credentialSource(provider.credential)}.` : 'Ready.';
  if (provider.hint) return provider.hint;
  if (provider.state === 'needs_key') return 'Not ready: it needs a key.';
  if (provider.state === 'unreachable') return `Not ready: ${provider.base_url} does not answer.`;
  return 'Not asked yet.';
};
