import { ApiFailure, type Client } from '@maestro/client';
import type { LoginFlow } from '@maestro/protocol';
import { ask } from './ask.ts';
import { exit } from './command.ts';

export interface LoginPaste {
  readonly client: Pick<Client, 'completeLogin' | 'getLogin' | 'cancelLogin'>;
  /** Begins the same login again and shows its address. */
  readonly begin: () => Promise<LoginFlow>;
}

/**
 * Completes a login with what is pasted. A person at a terminal is asked again until it is right or they leave; where it
 * could not be right any more, with a new address. Everybody else has one try: its failure is thrown. Gives the exit code.
 */
export const completeByPaste = async ({ client, begin }: LoginPaste, first: LoginFlow): Promise<number> => {
  const say = (line: string) => process.stderr.write(`${line}\n`);
  for (let flow = first; ; ) {
    const params = { flow_id: flow.id };
    const code = await ask('Paste the code, or the address of the page you end on: ');
    if (code === undefined) {
      await client.cancelLogin({ params });
      say('\nThe login was given up.');
      return exit.interrupted;
    }
    try {
      const { credential } = await client.completeLogin({ params, body: { code } });
      say(`Logged in: "${credential.name}".`);
      return exit.ok;
    } catch (error) {
      if (!process.stdin.isTTY || !(error instanceof ApiFailure) || error.code === 'unreachable') throw error;
      say(error.message);
    }
    const { state } = (await client.getLogin({ params })).flow;
    if (state === 'done') return exit.ok;
    if (state === 'cancelled') return exit.failed;
    if (state === 'failed' || state === 'expired') flow = await begin();
  }
};
