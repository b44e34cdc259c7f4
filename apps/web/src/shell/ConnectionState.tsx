import { useEffect, useState } from 'react';
import { connectionState, live } from '../live/maestro.ts';
import { useSignal } from '../live/signal.ts';

/** Nothing while all is well; honest words after a second without a live connection. */
export function ConnectionState() {
  const state = useSignal(connectionState);
  const [shown, setShown] = useState(false);
  useEffect(() => {
    if (state.type === 'live') {
      setShown(false);
      return;
    }
    const timer = setTimeout(() => setShown(true), 1000);
    return () => clearTimeout(timer);
  }, [state.type]);

  if (!shown || state.type === 'live') return <span className="visually-hidden">Live</span>;
  return (
    <span className="connection mark waiting" role="status">
      <span className="mark-shape" aria-hidden="true" />
      {state.type === 'connecting' && 'Connecting…'}
      {state.type === 'reconnecting' && 'Reconnecting… what you see may be old'}
      {state.type === 'refused' && (
        <>
          {state.message}
          <button type="button" className="button small" onClick={() => live().retry()}>
            Try again
          </button>
        </>
      )}
    </span>
  );
}
