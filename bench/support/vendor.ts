import { join } from 'node:path';
import type { ProviderId } from '@maestro/protocol';
import type { ScenarioInput, SeenRequest } from '@maestro/simulator';
import { type Program, startProgram } from '../../tests/support/program.ts';

/** A request the simulator has seen, as its control door tells it. */
export type Told = Omit<SeenRequest, 'body'> & { readonly body: string };

/** The simulator in a process of its own, so that it shares no event loop with what is measured. */
export interface Vendor extends AsyncDisposable {
  readonly origin: string;
  base(provider: ProviderId): string;
  /** Queues these scenarios, one for each request to come. */
  script(scenarios: readonly ScenarioInput[]): Promise<void>;
  configure(settings: { context_tokens?: number }): Promise<void>;
  /** Requests for an answer since the last `forget`, oldest first. */
  answers(): Promise<Told[]>;
  forget(): Promise<void>;
  close(): Promise<void>;
}

const paths: Partial<Record<ProviderId, string>> = {
  openai: '/v1',
  openai_chat: '/v1',
  compatible: '/compatible/v1',
};
const entry = join(import.meta.dirname, '..', '..', 'packages', 'simulator', 'src', 'main.ts');

export const startVendor = async (): Promise<Vendor> => {
  const program: Program = startProgram(process.execPath, [entry, '--port', '0']);
  const origin = (await program.untilSays(/^Simulator is ready at (\S+)$/m))[1] ?? '';
  const post = async (name: string, body: unknown): Promise<void> => {
    const response = await fetch(`${origin}/__control/${name}`, {
      method: 'POST',
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`The simulator refused ${name}: ${text}`);
  };
  const close = async (): Promise<void> => {
    program.child.kill('SIGTERM');
    await program.ended;
  };
  return {
    origin,
    base: (provider) => `${origin}${paths[provider] ?? ''}`,
    script: (scenarios) => post('script', { scenarios }),
    configure: (settings) => post('settings', settings),
    forget: () => post('reset', {}),
    answers: async () => {
      const response = await fetch(`${origin}/__control/requests`);
      const { requests } = (await response.json()) as { requests: Told[] };
      return requests.filter(({ kind }) => kind === 'answer');
    },
    close,
    [Symbol.asyncDispose]: close,
  };
};
