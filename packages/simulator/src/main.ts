import { parseArgs } from 'node:util';
import { startSimulator } from './simulator.ts';

/** `node packages/simulator/src/main.ts [--port 0] [--rate 60] [--chunk 1] [--seed 1]`: a simulator as a process of its own. */
const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    /** Tokens per second; 0: as fast as the socket takes it. */
    rate: { type: 'string', default: '0' },
    /** Tokens per chunk. */
    chunk: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
  },
});

const simulator = await startSimulator({
  port: Number(values.port),
  tokens_per_second: Number(values.rate),
  tokens_per_chunk: Number(values.chunk),
  seed: Number(values.seed),
});
process.stdout.write(`Simulator is ready at ${simulator.origin}\n`);

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    simulator.close().then(() => process.exit(0));
  });
