import type { LoginStart } from '@maestro/ports';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { failureOf, got } from '../../test/login-kit.ts';
import { readPaste } from './paste.ts';

const begun: LoginStart = {
  url: 'https://vendor.test/authorize',
  state: 'state-of-this-login',
  verifier: 'verifier-of-this-login',
  redirect_uri: 'https://vendor.test/end',
};
const read = (typed: string) => readPaste('Vendor', typed, begun);
const codeOf = (typed: string) => got(read(typed)).code;
const refusalOf = (typed: string) => failureOf(read(typed)).message;

/** As vendors make them: no blanks, and none of the marks that addresses use. */
const token = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9/_.~+-]{7,80}$/);

const anyUnit = fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code));
const anyAddress = fc.string().map((rest) => `https://vendor.test/${rest}`);

describe('what a person pastes (P8)', () => {
  it('is read as a code, as code#state, as an address and as its query', () => {
    fc.assert(
      fc.property(token, (code) => {
        const query = new URLSearchParams({ code, state: begun.state });
        for (const typed of [
          code,
          `  ${code}\n`,
          `${code}#${begun.state}`,
          `${code}#`,
          `https://vendor.test/end?${query}`,
          `http://localhost:8765/callback?scope=a&${query}#`,
          `/auth/callback?${query}`,
          `?${query}`,
          `${query}`,
          // As browsers show and copy it.
          `localhost:1455/auth/callback?${query}`,
          `127.0.0.1:40123/oauth2callback?${query}`,
          `vendor.test/end?${query}`,
          // As mails, chats and the source of a page write it.
          `http://localhost:1455/auth/callback?${query}`.replaceAll('&', '&amp;'),
          `<https://vendor.test/end?${query}>`,
          `"${code}"`,
          `\`${code}#${begun.state}\``,
          encodeURIComponent(code),
        ]) {
          expect(got(read(typed))).toEqual({
            code,
            state: begun.state,
            verifier: begun.verifier,
            redirect_uri: begun.redirect_uri,
          });
        }
      }),
    );
  });

  it('survives line breaks of a terminal', () => {
    fc.assert(
      fc.property(token, fc.nat(60), fc.constantFrom('\n', '\r\n', '\n  '), (code, at, gap) => {
        const whole = `https://vendor.test/end?${new URLSearchParams({ code, state: begun.state })}`;
        expect(codeOf(`${whole.slice(0, at)}${gap}${whole.slice(at)}`)).toBe(code);
      }),
    );
  });

  it('is refused with any other state', () => {
    fc.assert(
      fc.property(token, token, (code, state) => {
        fc.pre(state !== begun.state);
        const other = new URLSearchParams({ code, state });
        for (const typed of [
          `${code}#${state}`,
          `https://vendor.test/end?${other}`,
          `localhost:1455/auth/callback?${other}`,
        ]) {
          const message = refusalOf(typed);
          expect(message).toMatch(/another login/);
          expect(message).not.toContain(code);
          expect(message).not.toContain(begun.state);
        }
      }),
    );
  });

  it('never throws, and never gives out a code that was not there', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: anyUnit }), anyAddress), (typed) => {
        const result = read(typed);
        if (result.ok) {
          expect(result.value.code).not.toBe('');
          expect(decoded(typed.replace(/\s+/g, ''))).toContain(result.value.code);
        } else {
          expect(result.error.remedy).toBeTruthy();
        }
      }),
    );
  });

  it('tells the address that begins the login from the one that ends it', () => {
    const message = refusalOf(
      `https://claude.ai/oauth/authorize?code=true&response_type=code&code_challenge=x&state=${begun.state}`,
    );
    expect(message).toMatch(/where the login begins/);
  });

  it('tells the vendor’s error in words, without what is secret', () => {
    const query = new URLSearchParams({
      error: 'access_denied',
      error_description: `The user said no to ${begun.verifier}`,
      state: begun.state,
    });
    const error = failureOf(read(`http://localhost:1455/auth/callback?${query}`));
    expect(error).toEqual({
      cause: 'auth',
      message: 'Vendor was told not to allow the login (access_denied): The user said no to ***',
      remedy: 'Begin the login again and allow it.',
    });
    expect(refusalOf('https://vendor.test/end?error=server_error')).toBe(
      'Vendor ended the login (server_error).',
    );
    expect(refusalOf('https://vendor.test/end?error=access_denied&state=other')).not.toMatch(/denied/);
  });

  it('says what is missing', () => {
    expect(refusalOf(' \n ')).toBe('Nothing was pasted.');
    expect(refusalOf('#only-a-state')).toMatch(/no code/);
    expect(refusalOf(begun.state)).toBe('This is the state of the login, not its code.');
    expect(refusalOf('https://vendor.test/end?code=abc')).toMatch(/not whole: it has no state/);
    expect(refusalOf('vendor.test/end?code=abc')).toMatch(/not whole: it has no state/);
    expect(refusalOf(`https://vendor.test/end?state=${begun.state}`)).toMatch(/no code/);
    expect(refusalOf(`https://vendor.test/end?code=&state=${begun.state}`)).toMatch(/no code/);
  });
});

const decoded = (text: string): string =>
  `${text} ${percentDecoded(text)} ${new URLSearchParams(text.replace(/^[^?]*\?/, '')).values().toArray().join(' ')}`;

const percentDecoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
};
