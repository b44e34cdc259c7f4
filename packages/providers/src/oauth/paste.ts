import type { LoginAnswer, LoginStart, ProviderError, Result } from '@maestro/ports';
import { createMask } from '../wire/mask.ts';
import { refuse } from './refuse.ts';

/**
 * Reads what came back from the vendor: a bare code, `code#state`, or the address of the last page (whole, without its
 * scheme as browsers show it, or from its path on). A state that is there must be ours. An address without one is
 * refused; a bare code without one is taken, because some pages show nothing else: what a stranger's code could do
 * there, the proof key prevents, which the vendor compares with the one of this login.
 */
export const readPaste = (
  vendor: string,
  typed: string,
  begun: LoginStart,
): Result<LoginAnswer, ProviderError> => {
  // A terminal or a mail may have broken the line, or put marks around it; nothing of an answer has blanks in it.
  const text = typed.replace(/\s+/g, '').replace(/^["'`<(]+|["'`>)]+$/g, '');
  if (text === '') return refuse('Nothing was pasted.', `Paste the code that ${vendor} shows.`);
  if (isAddress.test(text)) return readAddress(vendor, text, begun);
  const [code = '', state] = plain(text).split('#', 2);
  if (code === '') return noCode(vendor);
  if (code === begun.state) return onlyState(vendor);
  if (state !== undefined && state !== '' && state !== begun.state) return wrongState(vendor);
  return answered(code, begun);
};

const isAddress = /^(https?:|\/.*\?|\?)|(^|[?&])(code|state|error)=/i;

/** Of a code that was copied out of an address (Google's have a slash, which is written `%2F` there). */
const plain = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

const readAddress = (vendor: string, text: string, begun: LoginStart): Result<LoginAnswer, ProviderError> => {
  // As the source of a page or a mail writes it.
  const address = text.replace(/&amp;/gi, '&').replace(/#.*$/, '');
  const isQuery = /^(code|state|error)=/i.test(address);
  const query = new URLSearchParams(isQuery ? address : address.slice(address.indexOf('?') + 1));
  if (query.has('code_challenge') || query.has('response_type')) {
    return refuse(
      'This is the address where the login begins.',
      `Open it, log in at ${vendor}, and paste the code or the address of the page you end on.`,
    );
  }
  const state = query.get('state');
  const failed = query.get('error');
  // An error is told even without a state: it only ends this login.
  if (failed !== null && (state === null || state === begun.state))
    return told(vendor, failed, query.get('error_description'), begun);
  const code = query.get('code');
  if (code === null || code === '') return noCode(vendor);
  if (state === null) return noState(vendor);
  if (state !== begun.state) return wrongState(vendor);
  return answered(code, begun);
};

const answered = (code: string, begun: LoginStart): Result<LoginAnswer, ProviderError> => ({
  ok: true,
  value: { code, verifier: begun.verifier, state: begun.state, redirect_uri: begun.redirect_uri },
});

const noCode = (vendor: string) =>
  refuse(
    'There is no code in what was pasted.',
    `Paste the whole code that ${vendor} shows, or the whole address of the page you end on.`,
  );

const onlyState = (vendor: string) =>
  refuse(
    'This is the state of the login, not its code.',
    `Paste the whole code that ${vendor} shows, or the whole address of the page you end on.`,
  );

const noState = (vendor: string) =>
  refuse(
    'This address is not whole: it has no state, so it cannot be told whether it belongs to this login.',
    `Paste the whole address of the page you end on at ${vendor}, to its last character.`,
  );

const wrongState = (vendor: string) =>
  refuse(
    'This answer belongs to another login: its state is not the one of this login.',
    `Log in at ${vendor} with the address shown here, and paste what you get then.`,
  );

const told = (vendor: string, code: string, words: string | null, begun: LoginStart) => {
  const mask = createMask([begun.state, begun.verifier, begun.device?.id]);
  const said = mask.text((words ?? '').replace(/\s+/g, ' ').trim().slice(0, 300));
  const denied = code === 'access_denied';
  return refuse(
    `${vendor} ${denied ? 'was told not to allow the login' : 'ended the login'} (${mask.text(code.slice(0, 80))})${said === '' ? '.' : `: ${said}`}`,
    denied ? 'Begin the login again and allow it.' : 'Begin the login again.',
    'auth',
  );
};
