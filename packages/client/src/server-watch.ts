import type { Credential, LoginFlow, ProviderFacts, Stats, ToolFacts } from '@maestro/protocol';
import { type Observable, source } from './observable.ts';
import type { Send, StreamHolder } from './stream.ts';

/** Facts of the server, kept up to date; undefined until they came. Statistics come every 2 s while this is open. */
export interface ServerWatch {
  readonly stats: Observable<Stats | undefined>;
  readonly credentials: Observable<readonly Credential[] | undefined>;
  /** Every login under way and those that ended lately, whenever one of them changes. */
  readonly logins: Observable<readonly LoginFlow[] | undefined>;
  readonly providers: Observable<readonly ProviderFacts[] | undefined>;
  readonly tools: Observable<readonly ToolFacts[] | undefined>;
  close(): void;
}

export const watchServer = (send: Send): ServerWatch & StreamHolder => {
  const stats = source<Stats | undefined>(undefined);
  const credentials = source<readonly Credential[] | undefined>(undefined);
  const logins = source<readonly LoginFlow[] | undefined>(undefined);
  const providers = source<readonly ProviderFacts[] | undefined>(undefined);
  const tools = source<readonly ToolFacts[] | undefined>(undefined);
  const subscribe = (): void => void send({ op: 'sub', stream: 'server' });
  return {
    stream: 'server',
    stats,
    credentials,
    logins,
    providers,
    tools,
    opened: subscribe,
    lost: () => undefined,
    batch: (events) => {
      for (const event of events) {
        if (event.kind === 'stats') stats.set(event.data);
        else if (event.kind === 'credential') credentials.set(event.data);
        else if (event.kind === 'login') logins.set(event.data);
        else if (event.kind === 'provider') providers.set(event.data);
        else if (event.kind === 'tool') tools.set(event.data);
      }
    },
    subbed: () => undefined,
    reset: subscribe,
    failed: () => undefined,
    heartbeat: () => undefined,
    close: () => void send({ op: 'unsub', stream: 'server' }),
  };
};
