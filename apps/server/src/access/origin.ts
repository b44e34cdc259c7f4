/** Which Host and Origin headers are ours. Checked before routing, so that no other site's page can reach us by a rebound name. */
export interface OwnNames {
  /** `Host` names this server. */
  host(header: string | undefined): boolean;
  /** `Origin` is a page of this server. */
  origin(header: string): boolean;
  /** Where a page on this host may open sockets (`ws://127.0.0.1:4747`); for the CSP. */
  sockets(host: string): string;
}

const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host);
const isWildcard = (host: string): boolean => host === '0.0.0.0' || host === '::' || host === '';

/** Addresses that only this machine reaches. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);

/**
 * `allowed`: further names, with or without a port (`box.lan`, `box.lan:8443`). They may be behind a TLS proxy, so
 * their `https` origin is ours too, and a name without a port is also known under the proxy's default port.
 */
export const ownNames = (port: number, host: string, allowed: readonly string[]): OwnNames => {
  const local = ['127.0.0.1', 'localhost', '[::1]'];
  if (!isWildcard(host) && !isLoopback(host)) local.push(bracketed(host).toLowerCase());
  const withPort = local.flatMap((name) => (port === 80 ? [name, `${name}:80`] : [`${name}:${port}`]));
  const listed = allowed
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '')
    .flatMap((name) => (/:\d+$/.test(name) ? [name] : [name, `${name}:${port}`]));
  const hosts = new Set([...withPort, ...listed]);
  const origins = new Set([
    ...[...hosts].map((name) => `http://${name}`),
    ...listed.map((name) => `https://${name}`),
  ]);
  const secure = new Set(listed);
  return {
    host: (header) => header !== undefined && hosts.has(header.toLowerCase()),
    origin: (header) => origins.has(header.toLowerCase()),
    sockets: (name) => (secure.has(name.toLowerCase()) ? `ws://${name} wss://${name}` : `ws://${name}`),
  };
};
