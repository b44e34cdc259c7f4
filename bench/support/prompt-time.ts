import type { Session } from '@maestro/protocol';
import { askDirect, type Turns } from './direct.ts';
import type { House } from './house.ts';
import type { LiveSocket } from './live-socket.ts';

const answer = [{ steps: [{ type: 'text' as const, text: 'Yes.' }] }];

/** From sending a message to a session until the provider has the request, ms. Waits for the end of the turn. */
export const promptToProvider = async (
  house: House,
  socket: LiveSocket,
  session: Session,
): Promise<{ took: number; turns: Turns }> => {
  await house.vendor.forget();
  await house.vendor.script(answer);
  const heard = await socket.follow(session.id);
  const from = performance.timeOrigin + performance.now();
  await house.client.sendMessage({ params: { session_id: session.id }, body: { text: 'And then?' } });
  await socket.until(() => heard.ended > 0, 'sees the end of the turn');
  socket.unfollow(session.id);
  const [request] = await house.vendor.answers();
  if (!request) throw new Error('The provider was never asked.');
  if (request.refused !== null) throw new Error(`The provider refused the request: ${request.refused}`);
  const body: { messages: { role: 'user' | 'assistant'; content: string | { text: string }[] }[] } =
    JSON.parse(request.body);
  const turns = body.messages.map(({ role, content }) => ({
    role,
    content: typeof content === 'string' ? content : content.map(({ text }) => text).join('\n'),
  }));
  return { took: request.arrived_at - from, turns };
};

/** The same history sent straight to the provider. */
export const sendDirect = async (house: House, turns: Turns): Promise<number> => {
  await house.vendor.forget();
  await house.vendor.script(answer);
  const { sent_at } = await askDirect(house.vendor.origin, turns);
  const [request] = await house.vendor.answers();
  return (request?.arrived_at ?? Number.NaN) - sent_at;
};
