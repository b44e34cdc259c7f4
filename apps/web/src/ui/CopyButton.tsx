import { useState } from 'react';
import { copyText } from './copy.ts';
import { Icon } from './icons.tsx';

export function CopyButton({ text, label }: { text: () => string; label: string }) {
  const [done, setDone] = useState<'no' | 'yes' | 'refused'>('no');
  const copy = async (): Promise<void> => {
    setDone((await copyText(text())) ? 'yes' : 'refused');
    setTimeout(() => setDone('no'), 1500);
  };
  const words = { no: 'Copy', yes: 'Copied', refused: 'Not allowed by the browser' }[done];
  return (
    <button
      type="button"
      className="button small quiet"
      aria-label={done === 'no' ? label : words}
      onClick={copy}
    >
      <Icon name={done === 'yes' ? 'check' : 'copy'} />
      {words}
    </button>
  );
}
