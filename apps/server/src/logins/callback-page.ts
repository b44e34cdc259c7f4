import type { ServerResponse } from 'node:http';

/** What the person reads in the tab the vendor sent the browser to. */
export interface PageWords {
  readonly title: string;
  readonly text: string;
}

const safe = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** A page that loads nothing, runs nothing, and leaves its address (with the code in it) to nobody. */
export const answerPage = (response: ServerResponse, status: number, { title, text }: PageWords): void => {
  const body = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${safe(title)}</title>
<meta name="viewport" content="width=device-width"><style>:root{color-scheme:light dark}body{font:1.1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:15vh auto;padding:0 1rem}</style></head>
<body><h1>${safe(title)}</h1><p>${safe(text)}</p></body></html>\n`;
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    connection: 'close',
  });
  response.end(body);
};
