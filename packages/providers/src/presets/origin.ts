import { withScheme } from '../vendors/shared/base-url.ts';

/** The names of this machine mean one host. */
const loopback = /^(localhost|\[::1\]|127(\.\d+){3})$/;

export const isLoopbackUrl = (base_url: string): boolean =>
  loopback.test(URL.parse(withScheme(base_url))?.hostname ?? '');

/**
 * Scheme, host and port, by which a service is known and to which alone its key is sent; undefined: not an address. A
 * key for https is no key for http at the same host.
 */
export const originOf = (base_url: string): string | undefined => {
  const url = URL.parse(withScheme(base_url));
  if (url === null || !['http:', 'https:'].includes(url.protocol)) return undefined;
  if (!loopback.test(url.hostname)) return url.origin;
  return `${url.protocol}//127.0.0.1:${url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port}`;
};
