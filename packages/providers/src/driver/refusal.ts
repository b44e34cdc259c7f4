import type { ProviderError } from '@maestro/ports';
import type { Json } from '@maestro/protocol';
import type { Vendor } from '../vendor.ts';
import type { HeaderPair, WireResponse } from '../wire/wire.ts';

/** Bytes of an answer that is not a stream; more is cut off for errors and refused for lists. */
export const answerLimit = 16 * 1024 * 1024;

/** Header values by lower-case name, repeated ones joined. */
export const headerMap = (headers: readonly HeaderPair[]): ReadonlyMap<string, string> => {
  const map = new Map<string, string>();
  for (const [name, value] of headers) {
    const key = name.toLowerCase();
    const before = map.get(key);
    map.set(key, before === undefined ? value : `${before}, ${value}`);
  }
  return map;
};

/** The body as text, at most `limit` bytes of it. Throws WireError. */
export const readText = async (body: WireResponse['body'], limit = answerLimit): Promise<string> => {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > limit) break;
  }
  return Buffer.concat(chunks).subarray(0, limit).toString('utf8');
};

/** undefined where the text is not JSON. */
export const parseJson = (text: string): Json | undefined => {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
};

const isPage = (type: string, text: string): boolean =>
  type.includes('text/html') || /^\s*<(!doctype|html)/i.test(text);

/** Is this the head of a stream we can read? Servers that name no type, or a vague one, are believed. */
export const isStream = (response: WireResponse, framing: 'sse' | 'ndjson'): boolean => {
  if (response.status < 200 || response.status > 299) return false;
  const type = headerMap(response.headers).get('content-type')?.toLowerCase() ?? '';
  if (type.includes('text/html')) return false;
  return framing === 'ndjson' || !type.includes('application/json');
};

/** An answer that is not what was asked for, typed: by the vendor's codec where it is the vendor's error. */
export const refusal = (
  vendor: Vendor,
  url: string,
  status: number,
  headers: ReadonlyMap<string, string>,
  text: string,
): ProviderError => {
  const host = URL.parse(url)?.host ?? url;
  if (isPage(headers.get('content-type')?.toLowerCase() ?? '', text))
    return pageError(vendor, host, status, headers, text);
  const redirect = headers.get('location');
  if (status >= 300 && status < 400 && redirect !== undefined) {
    return {
      cause: 'invalid_request',
      status,
      message: `${host} answered ${status} and points to ${redirect}; a request with a key is not sent on.`,
      remedy: 'Set the base URL to the address of the API itself.',
    };
  }
  const json = parseJson(text);
  const isError = typeof json === 'object' && json !== null && ('error' in json || Array.isArray(json));
  if (status >= 400 || isError) return withFacts(vendor.codec.error(status, headers, text), status, headers);
  return {
    cause: 'garbage',
    status,
    message: `${host} answered with ${headers.get('content-type') ?? 'no type'} where a stream was expected: ${text.slice(0, 200)}`,
    remedy: 'Check that the base URL is this API and that the service can stream.',
  };
};

const withFacts = (
  error: ProviderError,
  status: number,
  headers: ReadonlyMap<string, string>,
): ProviderError => {
  const requestId = error.request_id ?? headers.get('request-id') ?? headers.get('x-request-id');
  return { status, ...error, ...(requestId !== undefined && { request_id: requestId }) };
};

const pageError = (
  vendor: Vendor,
  host: string,
  status: number,
  headers: ReadonlyMap<string, string>,
  text: string,
): ProviderError => {
  const title = /<title[^>]*>([^<]{1,120})/i.exec(text)?.[1]?.trim();
  const message = `${host} answered ${status} with a web page${title === undefined ? '' : ` (“${title}”)`}, not as the API.`;
  const remedy = 'Check the base URL, and whether a proxy or login page stands between.';
  if (status < 400) return { cause: 'garbage', status, message, remedy };
  return { ...withFacts(vendor.codec.error(status, headers, ''), status, headers), message, remedy };
};
