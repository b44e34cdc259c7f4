import type { Log } from '@maestro/ports';
import type { Answer, Ask } from './messages.ts';
import type { Post } from './post.ts';

/** `absent`: it never arrived, nothing was done. `silent`: no answer in time; it may have been done. */
export type Reply = Answer | { readonly type: 'absent' } | { readonly type: 'silent' };

/** How many answered asks are remembered, so that a repeated one gets the same answer. */
const REMEMBERED = 1000;

/** Questions to other servers and their answers. */
export interface Asks {
  /** The same `id` again is answered, not run, a second time. Never rejects. */
  ask(to: string, id: string, ask: Ask, within_ms: number): Promise<Reply>;
  /** A question of another server. */
  asked(from: string, id: string, ask: Ask): void;
  answered(id: string, answer: Answer): void;
  close(): void;
}

export const createAsks = (deps: {
  readonly post: Post;
  readonly isUp: () => boolean;
  readonly log: Log;
  /** Does what is asked. A rejection is logged and left unanswered. */
  readonly serve: (from: string, ask: Ask) => Promise<Answer>;
}): Asks => {
  const { post, log } = deps;
  const open = new Map<string, (reply: Reply) => void>();
  const served = new Map<string, Promise<Answer>>();

  return {
    ask: (to, id, ask, within_ms) => {
      if (!deps.isUp()) return Promise.resolve({ type: 'absent' });
      const { promise, resolve } = Promise.withResolvers<Reply>();
      const timer = setTimeout(() => resolve({ type: 'silent' }), within_ms);
      open.set(id, resolve);
      post.send(to, { type: 'ask', id, ask }).then(
        (takers) => {
          if (takers === 0) resolve({ type: 'absent' });
        },
        () => resolve({ type: 'silent' }),
      );
      return promise.finally(() => {
        clearTimeout(timer);
        open.delete(id);
      });
    },
    asked: (from, id, ask) => {
      const serving = served.get(id) ?? deps.serve(from, ask);
      // Only what changes something must not be done twice.
      if (ask.type === 'command') served.set(id, serving);
      for (const oldest of served.keys()) {
        if (served.size <= REMEMBERED) break;
        served.delete(oldest);
      }
      serving
        .then((answer) => {
          // It may come back: the next try must not get the old answer.
          if (answer.type === 'not_here') served.delete(id);
          return post.send(from, { type: 'answer', id, answer });
        })
        .catch((error: unknown) => {
          served.delete(id);
          log.warn('cluster.ask', { from, type: ask.type, error: String(error) });
        });
    },
    answered: (id, answer) => open.get(id)?.(answer),
    close: () => {
      for (const resolve of open.values()) resolve({ type: 'silent' });
    },
  };
};
