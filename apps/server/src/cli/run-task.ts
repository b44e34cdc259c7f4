import { type Client, connectLive, createClient, type SessionWatch } from '@maestro/client';
import {
  type AccessMode,
  type Item,
  newId,
  type ProviderId,
  type SessionId,
  type Turn,
  type TurnId,
} from '@maestro/protocol';
import { StartError } from '../start-error.ts';
import { maestro } from './command.ts';
import { ask, loadSocket } from './own-http.ts';
import type { ReachedServer } from './reach-server.ts';
import type { StopRequest } from './stop-signal.ts';
import { jsonTranscript, type Outputs, type Transcript, textTranscript } from './transcript.ts';

export interface Task {
  readonly prompt: string;
  /** null: the first that is ready. */
  readonly provider: ProviderId | null;
  /** null: the provider's usual one. */
  readonly model: string | null;
  readonly access_mode: AccessMode;
  readonly working_directory: string;
  readonly timeout_s: number | null;
  readonly json: boolean;
}

export type Outcome = 'done' | 'failed' | 'interrupted';

/** Control characters but tab and line feed: what a model writes must not drive the terminal. */
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

const outputs: Outputs = {
  out: (text) => process.stdout.write(process.stdout.isTTY ? text.replaceAll(controls, '') : text),
  err: (text) => process.stderr.write(text.replaceAll(controls, '')),
};

const firstReady = async (client: Client): Promise<ProviderId> => {
  const { providers } = await client.providers();
  const ready = providers.find(({ state }) => state === 'ready');
  if (ready) return ready.id;
  throw new StartError(
    'No provider is ready: there is no API key, no Ollama answers, and no Claude Code is logged in.',
    `Set a key (such as ANTHROPIC_API_KEY), or see what is missing with: ${maestro} doctor`,
  );
};

/** Makes a session, sends the task, prints what happens and gives how it ended. */
export const runTask = async (server: ReachedServer, task: Task, stop: StopRequest): Promise<Outcome> => {
  const started = performance.now();
  const client = createClient({ base_url: server.url, token: server.token, ask });
  const provider = task.provider ?? (await firstReady(client));
  const id = newId<SessionId>('ses');
  await client.createSession({
    body: {
      id,
      provider,
      working_directory: task.working_directory,
      access_mode: task.access_mode,
      ...(task.model === null ? {} : { model: task.model }),
    },
  });
  // Sockets are loaded while the server is at work already; what it does meanwhile is in the first picture.
  const [{ turn_id }, socket] = await Promise.all([
    client.sendMessage({ params: { session_id: id }, body: { text: task.prompt } }),
    loadSocket(),
  ]);
  const live = connectLive({
    client,
    base_url: server.url,
    token: server.token,
    name: 'maestro run',
    socket,
  });
  const transcript = task.json ? jsonTranscript(outputs) : textTranscript(outputs);
  try {
    const watch = live.watchSession(id);
    const ending = limitTurn(client, id, task.timeout_s, stop);
    const turn = await followTurn(watch, turn_id, transcript, answerApprovals(client, server.shared));
    ending.cancel();
    transcript.end();
    const outcome: Outcome =
      turn.status === 'done' ? 'done' : ending.why() === 'asked' ? 'interrupted' : 'failed';
    const reason = ending.why() === 'late' ? `Stopped after ${task.timeout_s} s (--timeout).` : turn.reason;
    if (task.json) {
      const result = {
        type: 'result',
        outcome,
        session_id: id,
        ...facts(watch, turn, reason),
        duration_ms: Math.round(performance.now() - started),
      };
      outputs.out(`${JSON.stringify(result)}\n`);
    } else if (outcome !== 'done' && reason && !saidInNotice(watch, reason)) outputs.err(`${reason}\n`);
    return outcome;
  } finally {
    live.close();
  }
};

const itemsOf = (watch: SessionWatch): Item[] =>
  (watch.view?.order ?? []).flatMap((id) => watch.view?.items.get(id) ?? []);

const saidInNotice = (watch: SessionWatch, reason: string): boolean =>
  itemsOf(watch).some((item) => item.kind === 'notice' && item.data.text.includes(reason));

/** What the last line of `--json` says of the turn. */
const facts = (watch: SessionWatch, turn: Turn, reason: string | null) => ({
  turn_id: turn.id,
  cause: turn.cause,
  reason,
  steps: turn.steps,
  text: itemsOf(watch).findLast((item) => item.kind === 'agent_message')?.data.text ?? '',
  totals: watch.view?.session.totals,
});

/** Interrupts the turn when the person asks, or when its time is over. */
const limitTurn = (client: Client, id: SessionId, timeout_s: number | null, stop: StopRequest) => {
  let why: 'asked' | 'late' | undefined;
  const interrupt = (cause: 'asked' | 'late') => {
    if (why !== undefined) return;
    why = cause;
    client
      .interrupt({ params: { session_id: id } })
      .catch((error: Error) => outputs.err(`${error.message}\n`));
  };
  const timer = timeout_s === null ? undefined : setTimeout(() => interrupt('late'), timeout_s * 1000);
  let over = false;
  void stop.asked.then(() => {
    if (!over) interrupt('asked');
  });
  return {
    why: () => why,
    cancel: () => {
      over = true;
      clearTimeout(timer);
    },
  };
};

/** Nobody can be asked here: an approval is declined and said, unless a person can answer it in the page. */
const answerApprovals = (client: Client, shared: boolean) => (item: Item) => {
  if (item.kind !== 'approval' || item.status !== 'pending') return;
  if (shared && process.stderr.isTTY) {
    outputs.err(`Waiting for your answer in the page (${maestro} open): ${item.data.action}\n`);
    return;
  }
  outputs.err(
    `Declined, because nobody can be asked here: ${item.data.action}. To allow it: --access full\n`,
  );
  client
    .answer({ params: { session_id: item.session_id, item_id: item.id }, body: { decision: 'decline' } })
    .catch((error: Error) => outputs.err(`${error.message}\n`));
};

/** Feeds the transcript until the turn has ended. */
const followTurn = (
  watch: SessionWatch,
  turnId: TurnId | undefined,
  transcript: Transcript,
  onItem: (item: Item) => void,
): Promise<Turn> => {
  const { promise, resolve, reject } = Promise.withResolvers<Turn>();
  const seen = new Map<string, Item['status']>();
  const look = () => {
    const { view } = watch;
    if (!view) return;
    for (const item of itemsOf(watch)) {
      transcript.change(item);
      if (seen.get(item.id) !== item.status) onItem(item);
      seen.set(item.id, item.status);
    }
    const { turn } = view;
    const over =
      turn && (turn.status === 'done' || turn.status === 'failed' || turn.status === 'interrupted');
    if (over && (turnId === undefined || turn.id === turnId)) resolve(turn);
  };
  const stopLooking = watch.onChange(look);
  const stopState = watch.state.listen((state) => {
    if (state.type === 'gone')
      reject(new StartError('The session was deleted while it ran.', 'Run the task again.'));
    if (state.type === 'failed') reject(new Error(state.message));
  });
  look();
  return promise.finally(() => {
    stopLooking();
    stopState();
  });
};
