import type { Log, Realtime } from '@maestro/ports';
import type { Content, Message } from './messages.ts';

/**
 * Sends messages to one server or to all. Each server has one channel, so what one sends to another arrives in the
 * order it was sent: events, answers and all.
 */
export interface Post {
  /** How many took it: 0 when that server is not there. Rejects when it is not known whether it arrived. */
  send(to: string, content: Content): Promise<number>;
  /** To all others. Never rejects: what is lost is told again by the next beat. */
  tell(content: Content): Promise<void>;
  /** Bytes on their way to Redis. */
  unsent(): number;
  /** Starts to take messages. */
  open(take: (message: Message) => void): Promise<void>;
}

export const createPost = (deps: {
  readonly realtime: Realtime;
  /** Servers of other databases may use the same Redis. */
  readonly prefix: string;
  readonly me: string;
  readonly log: Log;
}): Post => {
  const { realtime, prefix, me, log } = deps;
  const all = `${prefix}:all`;
  const channelOf = (server: string): string => `${prefix}:to:${server}`;
  let unsent = 0;

  const publish = async (channel: string, content: Content): Promise<number> => {
    const text = JSON.stringify({ from: me, ...content });
    unsent += text.length;
    try {
      return await realtime.publish(channel, text);
    } finally {
      unsent -= text.length;
    }
  };

  return {
    send: (to, content) => publish(channelOf(to), content),
    tell: async (content) => {
      if (realtime.state() === 'down') return;
      await publish(all, content).catch((error: unknown) =>
        log.info('cluster.not_told', { type: content.type, reason: String(error) }),
      );
    },
    unsent: () => unsent,
    open: async (take) => {
      const read = (text: string): void => {
        const message: Message = JSON.parse(text);
        if (message.from !== me) take(message);
      };
      await Promise.all([realtime.subscribe(all, read), realtime.subscribe(channelOf(me), read)]);
    },
  };
};
