import fc from 'fast-check';
import { expect, it } from 'vitest';
import { answer, chunk, chunkedHead, lastChunk, rawServer, testWire } from '../test/kit.ts';
import { eventsOf, said, stubProvider, stubRequest } from '../test/stub-vendor.ts';

const piece = fc.oneof(
  fc.constantFrom(
    chunkedHead(),
    chunkedHead(['Content-Type: text/event-stream', 'Content-Encoding: gzip']),
    'HTTP/1.1 200 OK\r\n\r\n',
    'HTTP/1.1 204 No Content\r\n\r\n',
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
    'HTTP/1.1 100 Continue\r\n\r\n',
    chunk(said({ text: 'some text' })),
    chunk(said({ end: true })),
    chunk('data: {"te'),
    chunk('data: nonsense\n\n'),
    answer(400, 'bad anthropic-beta'),
    answer(500, '<html>'),
    said({ text: 'bare' }),
    lastChunk,
  ),
  fc.uint8Array({ maxLength: 40 }),
);

it('ends every stream once, in words, whatever bytes the server sends (P10)', async () => {
  let next: { pieces: readonly (string | Uint8Array)[]; reset: boolean } = { pieces: [], reset: false };
  const server = await rawServer(({ socket }) => {
    for (const bytes of next.pieces) socket.write(bytes);
    if (next.reset) setImmediate(() => socket.resetAndDestroy());
    else socket.end();
  });
  const provider = stubProvider({ wire: testWire() });
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 6 }), fc.boolean(), async (pieces, reset) => {
      next = { pieces, reset };
      const stop = new AbortController();
      const stream = provider.stream(stubRequest(server.url), stop.signal);
      const events = await eventsOf(
        (async function* () {
          for await (const event of stream) {
            // The waits between attempts are tested elsewhere.
            if (event.type === 'retry') stop.abort();
            yield event;
          }
        })(),
      );
      expect(events.filter(({ type }) => type === 'done' || type === 'error')).toEqual([events.at(-1)]);
      const last = events.at(-1);
      if (last?.type === 'error') expect(last.error.message.length).toBeGreaterThan(10);
    }),
    { numRuns: 300 },
  );
});
