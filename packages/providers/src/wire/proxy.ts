import { WireError } from './wire.ts';

export interface ProxyServer {
  readonly url: URL;
  /** Value of Proxy-Authorization, where the address holds a name. */
  readonly authorization: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

const read = (env: Environment, name: string): string | undefined =>
  env[name.toLowerCase()] || env[name.toUpperCase()] || undefined;

/**
 * The proxy for a URL by `HTTPS_PROXY`, `HTTP_PROXY`, else `ALL_PROXY`; lower case wins. `NO_PROXY` lists hosts,
 * domains (`.example.com`, `example.com`: with all below), `host:port` or `*`. The own machine never goes through a proxy.
 * Throws WireError `proxy` for an address that cannot be used.
 */
export const proxyFor = (target: URL, env: Environment): ProxyServer | undefined => {
  const name = target.protocol === 'https:' ? 'https_proxy' : 'http_proxy';
  const address = read(env, name) ?? read(env, 'all_proxy');
  if (address === undefined || isDirect(target, read(env, 'no_proxy') ?? '')) return undefined;
  const url = URL.parse(address.includes('://') ? address : `http://${address}`);
  if (!url || !['http:', 'https:'].includes(url.protocol)) {
    throw new WireError('proxy', `${name.toUpperCase()} is not an http or https address`);
  }
  const authorization =
    url.username === ''
      ? undefined
      : `Basic ${Buffer.from(`${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`).toString('base64')}`;
  return { url, authorization };
};

const isDirect = (target: URL, list: string): boolean => {
  const host = target.hostname.replace(/^\[|\]$/g, '');
  if (host === 'localhost' || host.endsWith('.localhost') || host === '::1' || /^127\./.test(host))
    return true;
  const port = target.port || (target.protocol === 'https:' ? '443' : '80');
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      if (entry === '*') return true;
      const [, name = entry, wantedPort] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? [];
      if (wantedPort !== undefined && !entry.includes('::') && wantedPort !== port) return false;
      const domain = (entry.includes('::') ? entry : name).replace(/^\*?\./, '').replace(/^\[|\]$/g, '');
      return host === domain || host.endsWith(`.${domain}`);
    });
};
