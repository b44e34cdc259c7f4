import { useState } from 'react';
import { client, failureOf } from '../live/maestro.ts';
import { takeNews } from '../live/queries.ts';

/** For a person who has just started or installed what was missing: asks all providers again. */
export function AskAgain() {
  const [asking, setAsking] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const ask = async (): Promise<void> => {
    setAsking(true);
    setProblem(null);
    try {
      const { providers } = await client.providers({ query: { refresh: 'true' } });
      takeNews(['providers'], providers);
    } catch (error) {
      setProblem(failureOf(error).message);
    }
    setAsking(false);
  };
  return (
    <>
      <button type="button" className="button small quiet" disabled={asking} onClick={() => void ask()}>
        {asking ? 'Asking…' : 'Ask again'}
      </button>
      {problem && <span role="alert"> {problem}</span>}
    </>
  );
}
