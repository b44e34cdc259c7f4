import type { LoginFlow, LoginMethod, LoginState } from '@maestro/protocol';
import { roughly } from '../ui/format.ts';

export const loginMethods: Record<LoginMethod, { name: string; explanation: string }> = {
  callback: {
    name: 'Come back by itself',
    explanation:
      'The vendor sends this browser back to Maestro. For a browser on the machine Maestro runs on.',
  },
  paste: {
    name: 'Paste the answer',
    explanation:
      'You paste the code you are shown, or the address you are sent to. Works with a browser anywhere.',
  },
  device: {
    name: 'Type a code there',
    explanation: 'Maestro shows a short code, you type it on the vendor’s page. Works on any device.',
  },
};

/** What the field for the vendor's answer asks for. */
export const answerWords: Record<'callback' | 'paste', { label: string; hint: string }> = {
  callback: {
    label: 'Not sent back? Paste the address of the page you ended on',
    hint: 'The whole address, even if that page could not be loaded.',
  },
  paste: {
    label: 'Code or address',
    hint: 'The code as the vendor shows it, code#state, or the whole address of the last page, even if it could not be loaded.',
  },
};

export const loginStates: Record<LoginState, { name: string; mark: string }> = {
  waiting: { name: 'Waiting for you', mark: 'waiting' },
  exchanging: { name: 'Exchanging the code…', mark: 'running' },
  done: { name: 'Done', mark: 'ready' },
  failed: { name: 'Failed', mark: 'failed' },
  expired: { name: 'Expired', mark: 'failed' },
  cancelled: { name: 'Cancelled', mark: 'idle' },
};

/** The state as it is at this moment: a time that ran out counts before the server says so. */
export const stateAt = (flow: LoginFlow, now: number): LoginState =>
  flow.state === 'waiting' && Date.parse(flow.expires_at) <= now ? 'expired' : flow.state;

export const timeLeft = (flow: LoginFlow, now: number): string =>
  `${roughly(Math.max(0, Date.parse(flow.expires_at) - now) / 1000)} left`;
