import { ms, type Row } from '../row.ts';
import { longSession } from '../support/history.ts';
import { startHouse } from '../support/house.ts';
import { LiveSocket } from '../support/live-socket.ts';
import { promptToProvider, sendDirect } from '../support/prompt-time.ts';
import { median, quantile } from '../support/statistics.ts';

const PROMPTS = 15;

/** A session of 600 messages, about 100,000 tokens of context, sent whole with every prompt. */
export const longPrompt: Row = {
  name: 'long-prompt',
  about: 'prompt → provider in a session of 600 messages (0.5 MB of context)',
  quick: true,
  longest_s: 180,
  rounds: async function* (plan) {
    await using house = await startHouse(plan);
    await house.vendor.configure({ context_tokens: 2_000_000 });
    const socket = await LiveSocket.open(house);
    const rounds = plan.quick ? 2 : 4;
    for (let round = 0; round <= rounds; round += 1) {
      const session = await longSession(house, { items: 600, messages: 600 });
      // The first prompt finds the session asleep.
      const asleep = await promptToProvider(house, socket, session);
      const ours: number[] = [];
      const floor: number[] = [];
      for (let prompt = 0; prompt < PROMPTS; prompt += 1) {
        const { took, turns } = await promptToProvider(house, socket, session);
        ours.push(took);
        floor.push(await sendDirect(house, turns));
      }
      if (round > 0)
        yield {
          p50: ms(median(ours), median(floor)),
          p95: ms(quantile(ours, 0.95), quantile(floor, 0.95)),
          'first, session asleep': ms(asleep.took, median(floor)),
        };
    }
    socket.close();
  },
};
