/**
 * A process that does what a server does with its stores, for tests that kill it. Arguments: data folder, then what to
 * do: `hold` (stay), `write <session>` (commit items as fast as it can, telling each that was acknowledged), `job hang` (send a job and never
 * finish it), `job finish` (work on jobs).
 * Says one JSON line per fact; SIGTERM closes and ends it.
 */
import { ItemId, SessionId } from '@maestro/protocol';
import { openStores } from '@maestro/store';

const [folder = '', task = 'hold', name = 'writes'] = process.argv.slice(2);
const say = (fact: Record<string, unknown>) => process.stdout.write(`${JSON.stringify(fact)}\n`);
const tell = (event: string, fields: Record<string, unknown> = {}) => say({ event, ...fields });

let stopping = false;
let stop = (): void => process.exit(1);
process.on('SIGTERM', () => stop());
try {
  const stores = await openStores({ data_folder: folder, log: { info: tell, warn: tell, error: tell } });
  const keep = setInterval(() => undefined, 60_000);
  stop = () => {
    stopping = true;
    void stores.close().then(() => {
      clearInterval(keep);
      tell('closed');
    });
  };
  tell('open', { phases: stores.phases, engine: stores.engine });
  if (task === 'job') {
    await stores.jobs.work('work', async (data) => {
      tell('job', { data });
      if (name === 'hang') await new Promise(() => undefined);
    });
    if (name === 'hang') await stores.jobs.send('work', { text: 'once' });
  }
  if (task === 'write') {
    const id = SessionId.parse(name);
    const found = await stores.sessions.get(id);
    const session = found ?? (await stores.sessions.create(plain(id)));
    const lease = await stores.sessions.acquire(session.id, `process-${process.pid}`, 600_000);
    if (!lease) throw new Error('no lease');
    while (!stopping) {
      const item = ItemId.parse(crypto.randomUUID());
      const result = await stores.sessions.commit(lease, {
        items: [
          { id: item, turn_id: null, kind: 'user_message', status: 'done', data: { text: 'x'.repeat(500) } },
        ],
      });
      if (result.ok) tell('written', { item, seq: result.value.seq });
      else tell('refused', result.error);
      if (!result.ok) await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
} catch (error) {
  tell('failed', {
    name: error instanceof Error ? error.name : '',
    message: error instanceof Error ? error.message : String(error),
  });
  process.exitCode = 1;
}

function plain(id: SessionId) {
  return {
    id,
    title: 'A session',
    agent_name: 'agent',
    provider: 'anthropic' as const,
    model: 'model-1',
    auth_type: 'api_key' as const,
    base_url: null,
    effort: null,
    working_directory: '/tmp',
    system_prompt: '',
    access_mode: 'full' as const,
    tools: {},
  };
}
