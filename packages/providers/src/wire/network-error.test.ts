import { describe, expect, it } from 'vitest';
import { networkError } from './network-error.ts';
import { WireError, type WireFailureKind } from './wire.ts';
import { bodyError, connectionError } from './wire-error.ts';

const where = { url: 'https://api.test/v1', hint: 'Start it.' };
const coded = (code: string): Error => Object.assign(new Error(`failed ${code}`), { code });

describe('network failures in words (P13)', () => {
  it('gives every kind a cause and a sentence that names the service', () => {
    const kinds: Record<WireFailureKind, string> = {
      lookup: 'network',
      refused: 'network',
      unreachable: 'network',
      connect_timeout: 'timeout',
      first_byte_timeout: 'timeout',
      chunk_timeout: 'timeout',
      reset: 'network',
      cut: 'cut',
      tls: 'network',
      proxy: 'network',
      garbage: 'garbage',
      too_large: 'garbage',
      queue_full: 'overloaded',
      aborted: 'aborted',
      invalid: 'invalid_request',
    };
    for (const [kind, cause] of Object.entries(kinds)) {
      const error = networkError(new WireError(kind as WireFailureKind, 'why it failed'), where);
      expect(error.cause).toBe(cause);
      expect(error.message).toMatch(/^[A-Z0-9a-z].*\.$/);
      if (!['aborted', 'too_large'].includes(kind)) expect(error.remedy).toBeTruthy();
    }
  });

  it('knows what to do about a certificate', () => {
    const remedy = (code: string): string => networkError(connectionError(coded(code)), where).remedy ?? '';
    expect(remedy('SELF_SIGNED_CERT_IN_CHAIN')).toContain('NODE_EXTRA_CA_CERTS');
    expect(remedy('CERT_HAS_EXPIRED')).toContain('renew');
    expect(remedy('ERR_TLS_CERT_ALTNAME_INVALID')).toContain('another name');
    expect(remedy('EPROTO')).toContain('http://');
  });

  it('types the errors of the system', () => {
    const kinds = [
      'ENOTFOUND',
      'EAI_AGAIN',
      'ECONNREFUSED',
      'EHOSTUNREACH',
      'ETIMEDOUT',
      'ECONNRESET',
      'HPE_INVALID_CONSTANT',
      'ERR_INVALID_CHAR',
    ];
    expect(kinds.map((code) => connectionError(coded(code)).kind)).toEqual([
      'lookup',
      'lookup',
      'refused',
      'unreachable',
      'connect_timeout',
      'reset',
      'garbage',
      'invalid',
    ]);
    expect(connectionError(new AggregateError([coded('ECONNREFUSED')])).kind).toBe('refused');
    expect(
      ['ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE', 'Z_BUF_ERROR', 'Z_DATA_ERROR'].map(
        (code) => bodyError(coded(code)).kind,
      ),
    ).toEqual(['cut', 'cut', 'cut', 'garbage']);
  });
});
