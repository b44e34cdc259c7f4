import { useState } from 'react';
import { useMedia } from './clock.ts';
import { Icon } from './icons.tsx';
import { recall, remember } from './memory.ts';

type Theme = 'light' | 'dark';

const chosenBefore = (): Theme | null => {
  const chosen = recall('theme');
  return chosen === 'light' || chosen === 'dark' ? chosen : null;
};

/** Switches between light and dark; until it is used the system decides. */
export function ThemeToggle() {
  const system: Theme = useMedia('(prefers-color-scheme: dark)') ? 'dark' : 'light';
  const [chosen, setChosen] = useState(chosenBefore);
  const next: Theme = (chosen ?? system) === 'dark' ? 'light' : 'dark';
  const choose = (): void => {
    document.documentElement.setAttribute('data-theme', next);
    remember('theme', next);
    setChosen(next);
  };
  return (
    <button
      type="button"
      className="button icon quiet"
      onClick={choose}
      aria-label={`Use the ${next} theme`}
      title={`Use the ${next} theme`}
    >
      <Icon name={next === 'dark' ? 'moon' : 'sun'} />
    </button>
  );
}
