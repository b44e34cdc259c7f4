import type { Log, Publisher } from '@maestro/ports';

/** A publisher whose faults are logged and go no further: what is written is written, whoever hears of it. */
export const safePublisher = (publisher: Publisher, log: Log): Publisher => {
  const safely = (tell: () => void): void => {
    try {
      tell();
    } catch (error) {
      log.error('an event could not be published', { error: String(error) });
    }
  };
  return {
    publish: (events) => safely(() => publisher.publish(events)),
    reset: (stream, reason) => safely(() => publisher.reset(stream, reason)),
  };
};
