import type { ProviderError } from '@maestro/ports';
import type { Cause } from '@maestro/protocol';
import type { WireError, WireFailureKind } from './wire.ts';

const causes: Readonly<Record<WireFailureKind, Cause>> = {
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

/** A failure below HTTP in words for people. `hint` is the vendor's own advice when nothing answers. */
export const networkError = (error: WireError, where: { url: string; hint: string }): ProviderError => {
  const url = URL.parse(where.url);
  const host = url?.host ?? where.url;
  const said = (message: string, remedy?: string): ProviderError => ({
    cause: causes[error.kind],
    message,
    ...(remedy !== undefined && { remedy }),
  });
  switch (error.kind) {
    case 'lookup':
      return said(
        `The name ${url?.hostname ?? host} is not known (${error.code ?? error.message}).`,
        'Check the internet connection and the base URL.',
      );
    case 'refused':
      return said(`Nothing answers at ${host}: the connection was refused.`, where.hint);
    case 'unreachable':
      return said(
        `${host} cannot be reached (${error.code ?? error.message}).`,
        'Check the network connection.',
      );
    case 'connect_timeout':
      return said(
        `${host} cannot be reached: ${error.message}.`,
        `Check the network and proxy. ${where.hint}`,
      );
    case 'first_byte_timeout':
      return said(`${host} took the request, but ${error.message}.`, 'Send the message again.');
    case 'chunk_timeout':
      return said(`${host} fell silent: ${error.message}.`, 'Send the message again.');
    case 'reset':
      return said(
        `${host} closed the connection before it answered (${error.message}).`,
        'Send the message again.',
      );
    case 'cut':
      return said(
        `${host} ended the answer before it was complete (${error.message}).`,
        'Send the message again.',
      );
    case 'tls':
      return said(`No safe connection to ${host}: ${error.message}.`, tlsRemedy(error));
    case 'proxy':
      return said(`${capital(error.message)}.`, 'Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY.');
    case 'garbage':
      return said(
        `${host} sent what cannot be read: ${error.message}.`,
        'Check that the base URL is the API.',
      );
    case 'too_large':
      return said(`${host} sent too much: ${error.message}.`);
    case 'queue_full':
      return said(
        `Too much at once: ${error.message}.`,
        'Wait until some sessions have finished, or stop some.',
      );
    case 'aborted':
      return said('The call was stopped.');
    case 'invalid':
      return said(
        `The request cannot be sent: ${error.message}.`,
        'Check the key and the base URL for line breaks and unusual characters.',
      );
  }
};

const tlsRemedy = ({ code = '' }: WireError): string => {
  if (code === 'CERT_HAS_EXPIRED')
    return 'The certificate has expired: the owner of the service must renew it.';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return 'The certificate is for another name: check the base URL.';
  if (/^(DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/.test(code)) {
    return 'If this service or your proxy has its own authority, name its certificate file in NODE_EXTRA_CA_CERTS and start again.';
  }
  return 'Check that the base URL begins with the right https:// or http://.';
};

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
