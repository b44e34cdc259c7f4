import { expect, it } from 'vitest';
import { hasDisplay } from './browser.ts';

it.each([
  [{ DISPLAY: ':0' }, 'linux', true],
  [{ WAYLAND_DISPLAY: 'wayland-0' }, 'linux', true],
  [{}, 'linux', false],
  [{ DISPLAY: ':0', CI: 'true' }, 'linux', false],
  [{}, 'darwin', true],
  [{}, 'win32', true],
  [{ CI: '1' }, 'darwin', false],
] as const)('with %j on %s a browser can be shown: %s', (env, platform, shown) => {
  expect(hasDisplay(env, platform)).toBe(shown);
});
