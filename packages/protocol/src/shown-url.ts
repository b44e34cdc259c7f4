/** Parameters of a query that may hold a secret, by their names. */
const secret_name = /key|token|secret|passw|pwd|auth|credential|signature|^sig$|^code$/i;

/** An address without the name and password in it, else as it is given. */
export const withoutLogin = (address: string): string => {
  const url = URL.parse(address);
  if (!url || (url.username === '' && url.password === '')) return address;
  url.username = '';
  url.password = '';
  return url.pathname === '/' && !/\/(?:[?#]|$)/.test(address)
    ? url.href.replace(/\/(?=[?#]|$)/, '')
    : url.href;
};

/**
 * An address fit for people, logs and clients (S3): without a name and password, and with `***` for each value of its query
 * whose name says that it is a secret. One that holds none is given back as it is.
 */
export const shownUrl = (address: string): string => {
  const bare = withoutLogin(address);
  return bare.replace(/([?&])([^=&#]*)=([^&#]+)/g, (whole, mark: string, name: string) =>
    secret_name.test(name) ? `${mark}${name}=***` : whole,
  );
};
