import './ui/polyfills.ts';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { createRoot } from 'react-dom/client';
import { enter } from './live/maestro.ts';
import { queries } from './live/queries.ts';
import { router } from './router.tsx';
import './styles/fonts.css';
import './styles/tokens.css';
import './styles/base.css';

const place = document.getElementById('app');
if (!place) throw new Error('The page has no #app to draw in');

void enter();
// A fresh link opened in a tab that shows this page only changes the part after #.
window.addEventListener('hashchange', () => location.hash.startsWith('#launch=') && void enter());
createRoot(place).render(
  <QueryClientProvider client={queries}>
    <RouterProvider router={router} />
  </QueryClientProvider>,
);
