import {
  ApiFailure,
  type Ask,
  type ConnectionState,
  connectLive,
  createClient,
  type Live,
} from '@maestro/client';
import { Signal } from './signal.ts';

/** `checking`: not known yet · `in` · `out`: no credential · `spent`: a launch code that is used or old · `unreachable`. */
export type Access = 'checking' | 'in' | 'out' | 'spent' | 'unreachable';

export const access = new Signal<Access>('checking');

/** A refused credential shows the entry screen, whatever was asked for. */
const ask: Ask = async (...request) => {
  const response = await fetch(...request);
  if (response.status === 401 && access.get() === 'in') access.set('out');
  return response;
};

export const client = createClient({ base_url: '', ask });

export const connectionState = new Signal<ConnectionState>({ type: 'connecting' });

let connected: Live | null = null;

/** The one live connection of this page; opened when it is first used. */
export const live = (): Live => {
  if (connected) return connected;
  const made = connectLive({ client, base_url: location.origin, name: 'web' });
  made.state.listen(connectionState.set);
  const check = (): void => {
    if (!document.hidden) made.check();
  };
  document.addEventListener('visibilitychange', check);
  window.addEventListener('pageshow', check);
  window.addEventListener('online', () => made.retry());
  connected = made;
  return made;
};

/** An error in words for a person, and the field of the form it belongs to. */
export const failureOf = (error: unknown): { message: string; field?: string } => {
  if (error instanceof ApiFailure) {
    if (error.code === 'unreachable') return { message: 'Maestro does not answer. Is the server running?' };
    const field = error.field?.replace(/^(body|query|params)\./, '').split('.')[0];
    return { message: error.message, ...(field ? { field } : {}) };
  }
  return { message: error instanceof Error ? error.message : String(error) };
};

/** Stores a file for a message. */
export const uploadBlob = async (file: File) =>
  client.putBlob(
    { body: new Uint8Array(await file.arrayBuffer()) },
    { content_type: file.type || 'application/octet-stream' },
  );

const findAccess = async (): Promise<void> => {
  try {
    await client.serverFacts();
    access.set('in');
  } catch (error) {
    const status = error instanceof ApiFailure ? error.status : 0;
    access.set(status === 401 || status === 403 ? 'out' : 'unreachable');
  }
};

/** Exchanges the launch code of the address, removes it from the address, and finds out whether this browser is in. */
export const enter = async (): Promise<void> => {
  const code = new URLSearchParams(location.hash.slice(1)).get('launch');
  if (!code) return findAccess();
  history.replaceState(null, '', location.pathname + location.search);
  try {
    await client.browserLaunch({ body: { code } });
    access.set('in');
    connected?.retry();
  } catch (error) {
    await findAccess();
    if (access.get() === 'out' && error instanceof ApiFailure && error.status !== 0) access.set('spent');
  }
};
