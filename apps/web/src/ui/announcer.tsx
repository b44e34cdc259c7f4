import { Signal, useSignal } from '../live/signal.ts';

const message = new Signal('');

/** Says a short sentence to screen readers, politely. For the start and end of turns and for approvals, never for tokens. */
export const announce = (text: string): void => message.set(text);

export const Announcer = () => (
  <div className="visually-hidden" role="status" aria-live="polite">
    {useSignal(message)}
  </div>
);
