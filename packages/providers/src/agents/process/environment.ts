/** Ours alone: the vault's key, the database, Redis, secrets that no other program reads, and all that configures this server. */
const ours =
  /^(ENCRYPTION_KEY|DATABASE_URL|REDIS_URL|COMPATIBLE_API_KEY|GOOGLE_OAUTH_CLIENT_SECRET|MAESTRO_.*)$/;

/**
 * The environment of an agent: the person's own, as it was when the server was started, so that an agent finds its home
 * folder, its login and its proxy as in a terminal. Without our own secrets. Keys of our configuration or vault are not
 * added: an agent uses its own login, or a key that is in the environment already.
 */
export const agentEnvironment = (
  env: Readonly<Record<string, string | undefined>>,
  more: Readonly<Record<string, string>> = {},
): Record<string, string> => {
  const kept = Object.entries(env).flatMap(([name, value]): [string, string][] =>
    value === undefined || ours.test(name) ? [] : [[name, value]],
  );
  return { ...Object.fromEntries(kept), ...more };
};
