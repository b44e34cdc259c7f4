import type { LoginTokens, OpenedCredential } from '@maestro/ports';

/** An access token that ends sooner than this is not begun a call with: clocks differ, and the call has to arrive. */
const margin_ms = 30_000;

/** A login with its tokens opened. */
export interface OpenLogin extends OpenedCredential {
  readonly tokens: LoginTokens;
}

/** What `putLogin` and `storeTokens` have sealed. */
export const loginOf = (opened: OpenedCredential): OpenLogin => ({
  ...opened,
  tokens: JSON.parse(opened.secret) as LoginTokens,
});

/** `good`: can be called with · `ending`: within the margin, only where nothing better is to be had · `over`. */
export const lifeOf = ({ tokens }: OpenLogin, now: number): 'good' | 'ending' | 'over' => {
  if (tokens.expires_at === null || tokens.expires_at - now > margin_ms) return 'good';
  return tokens.expires_at > now ? 'ending' : 'over';
};
