import type { LoginClient, LoginStart, ProviderError, Result } from '@maestro/ports';
import type { LoginMethod } from '@maestro/protocol';
import { refuse } from './refuse.ts';

/** What stands in the way of beginning a login by this method; undefined: nothing. */
export const hindrance = (
  client: Pick<LoginClient, 'name' | 'methods' | 'missing'>,
  method: LoginMethod,
  port: number | undefined,
): ReturnType<typeof refuse> | undefined => {
  if (!client.methods.includes(method)) {
    return refuse(
      `${client.name}: there is no login by ${method}.`,
      `Choose one of: ${client.methods.join(', ')}.`,
    );
  }
  const missing = client.missing();
  if (missing !== undefined) return refuse(`${client.name} cannot be used yet.`, missing);
  if (method === 'callback' && port === undefined) {
    return refuse(
      `${client.name}: none of the ports is free that the browser may be sent back to.`,
      `End the program that uses them, or choose another method: ${client.methods.filter((other) => other !== 'callback').join(', ')}.`,
    );
  }
  return undefined;
};

export type Begun = Result<LoginStart, ProviderError>;

/** `from` to `to`, both in it. */
export const portRange = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);
