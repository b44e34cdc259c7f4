/** What the OpenTelemetry variables of the environment ask for that is not, or not quite, done here. */
export interface Wish {
  /** false: nothing is sent. */
  readonly send: boolean;
  /** For the log; undefined: nothing to say. */
  readonly words?: string;
}

/** We speak OTLP over HTTP in its JSON form, which a collector takes at the port where it takes protobuf. */
export const readWishes = (env: Readonly<Record<string, string | undefined>>): Wish => {
  if (env['OTEL_SDK_DISABLED']?.trim().toLowerCase() === 'true')
    return { send: false, words: 'OTEL_SDK_DISABLED is true, so nothing is sent.' };
  const protocol = env['OTEL_EXPORTER_OTLP_PROTOCOL']?.trim();
  if (!protocol || protocol === 'http/json') return { send: true };
  if (protocol === 'http/protobuf')
    return { send: true, words: 'OTEL_EXPORTER_OTLP_PROTOCOL is http/protobuf; http/json is sent.' };
  return {
    send: false,
    words: `OTEL_EXPORTER_OTLP_PROTOCOL is ${protocol}, which is not spoken here, so nothing is sent. Set it to http/json, and OTEL_EXPORTER_OTLP_ENDPOINT to the collector's port for HTTP (usually 4318).`,
  };
};
