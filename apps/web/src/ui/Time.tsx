import { ago, exactly, toward } from './format.ts';

/** An instant as the time from or to now; the exact one on hover and for machines. */
export const Time = ({ at, now, kind }: { at: string; now: number; kind: 'ago' | 'toward' }) => (
  <time dateTime={at} title={exactly(at)} className="nowrap">
    {kind === 'ago' ? ago(at, now) : toward(at, now)}
  </time>
);
