import type { ServerResponse } from 'node:http';

/** Security headers of every answer. `sockets`: where the page may open WebSockets (Safari 14 does not count them as 'self'). */
export const setSecurityHeaders = (response: ServerResponse, sockets: string): void => {
  response.setHeader(
    'content-security-policy',
    [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "style-src-attr 'unsafe-inline'",
      `connect-src 'self'${sockets === '' ? '' : ` ${sockets}`}`,
      "img-src 'self' data:",
      "font-src 'self'",
      "base-uri 'none'",
      "form-action 'self'",
      "frame-ancestors 'none'",
    ].join('; '),
  );
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('referrer-policy', 'no-referrer');
  response.setHeader('cross-origin-opener-policy', 'same-origin');
};
