import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const names = [
  'chromium',
  'chromium-browser',
  'google-chrome',
  'google-chrome-stable',
  'chrome.exe',
  'msedge.exe',
];
const places = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
];

/** Path of this machine's Chromium. Throws, loudly, where there is none: a browser test must not pass unseen. */
export const chromiumPath = (): string => {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const candidates = [...folders.flatMap((folder) => names.map((name) => join(folder, name))), ...places];
  const found = process.env['CHROMIUM'] ?? candidates.find((path) => existsSync(path));
  if (!found) {
    throw new Error(
      'THIS TEST NEEDS CHROMIUM and there is none on the PATH. On Debian or Ubuntu: apt-get install chromium. ' +
        'Elsewhere install Chrome or set CHROMIUM to its program.',
    );
  }
  return found;
};
