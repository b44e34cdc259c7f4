import { useState } from 'react';
import { Icon } from './icons.tsx';
import { recall, remember } from './memory.ts';

type Theme = 'light' | 'dark';

const current = (): Theme => {
  const chosen = recall('theme');
  if (chosen === 'light' || chosen === 'dark') return chosen;
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
};

/** Switches between light and dark; until it is used the system decides. */
export function ThemeToggle() {
  const [theme, setTheme] = useState(current);
  const next: Theme = theme === 'dark' ? 'light' : 'dark';
  const choose = (): void => {
    document.documentElement.setAttribute('data-theme', next);
    remember('theme', next);
    setTheme(next);
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
