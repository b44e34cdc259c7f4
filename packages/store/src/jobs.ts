import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Jobs, Log } from '@maestro/ports';
import type { Json } from '@maestro/protocol';
import type { PgBoss } from 'pg-boss';
import type { Connection, Database } from './database.ts';
import { messageOf } from './errors.ts';
import { bossDatabase } from './pglite/boss-database.ts';

/** The job queue's own schema in the same database. */
export const JOBS_SCHEMA = 'jobs';
/** Its statements are few and short, and none of them waits for another. */
const CONNECTIONS = 1;
/** After a kill -9 another process starts the job again about 14 s later: ten without a heartbeat (the least pg-boss takes), then a look every five. */
const HEARTBEAT_S = 10;
const MONITOR_S = 5;
const RETRIES = 5;
/** Jobs handed over in one transaction. */
const BATCH = 100;
const LONGEST_RETRY_DELAY_S = 300;
const RESTART_MS = 2_000;
const STOP_MS = 3_000;
/** The same where the database does not answer. */
const AWAY_MS = 200;

const NO_JOB = '00000000-0000-0000-0000-000000000000';

type Handler = (data: Json) => Promise<void>;

export interface JobQueue extends Jobs {
  /** Starts the queue in the background, so that nobody waits for it. `work` and `schedule` before it are remembered. */
  start(): void;
  stop(): Promise<void>;
}

/**
 * Jobs on pg-boss. `send` writes an outbox row (durable at once, whatever pg-boss does) and a dispatcher hands the rows
 * over: taking the row and making the job are one transaction. A job runs at least once: handlers must be able to run twice.
 */
export const makeJobs = (db: Database, connection: () => Connection, log: Log): JobQueue => {
  const handlers = new Map<string, Handler>();
  const schedules = new Map<string, { cron: string; data: Json }>();
  const workers = new Map<string, string>();
  const queues = new Set<string>();
  let boss: PgBoss | undefined;
  /** The one that starts or runs; it holds connections before it is of use. */
  let made: PgBoss | undefined;
  let starting: Promise<void> | undefined;
  let dispatching: Promise<void> = Promise.resolve();
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;

  const queueOf = async (on: PgBoss, name: string): Promise<void> => {
    if (queues.has(name)) return;
    await on.createQueue(name, {
      // `unique`: no second job while one with that key waits or runs. Jobs without a key get one of their own.
      policy: 'exclusive',
      retryLimit: RETRIES,
      retryBackoff: true,
      retryDelay: 1,
      retryDelayMax: LONGEST_RETRY_DELAY_S,
      heartbeatSeconds: HEARTBEAT_S,
    });
    // The queue's facts are read now: asked for inside `move`'s transaction they would wait for its only connection.
    await on.getJobById(name, NO_JOB);
    queues.add(name);
  };

  const register = async (on: PgBoss, name: string, handler: Handler): Promise<void> => {
    if (workers.has(name)) return;
    workers.set(name, '');
    await queueOf(on, name);
    const id = await on.work<{ value: Json }>(name, async (jobs) => {
      for (const job of jobs)
        await handler(job.data.value).catch((error: unknown) => {
          log.warn('job.failed', { queue: name, message: messageOf(error) });
          throw error;
        });
    });
    workers.set(name, id);
  };

  const plan = async (on: PgBoss, name: string, cron: string, data: Json): Promise<void> => {
    await queueOf(on, name);
    await on.schedule(name, cron, { value: data });
  };

  const begin = async (): Promise<void> => {
    const { PgBoss: Boss } = await import('pg-boss');
    const next = new Boss({
      ...placeOf(db, connection()),
      schema: JOBS_SCHEMA,
      superviseIntervalSeconds: 1,
      monitorIntervalSeconds: MONITOR_S,
    });
    next.on('error', (error) => log.warn('jobs.error', { message: messageOf(error) }));
    made = next;
    await next.start();
    // From here on `work` and `schedule` go to it directly; what was remembered follows.
    boss = next;
    for (const [name, handler] of handlers) await register(next, name, handler);
    for (const [name, { cron, data }] of schedules) await plan(next, name, cron, data);
    log.info('jobs.ready');
    await dispatch();
  };

  const start = (): void => {
    if (starting || stopped) return;
    starting = begin().catch(async (error: unknown) => {
      await end(made, false, STOP_MS);
      boss = undefined;
      workers.clear();
      log.warn('jobs.start_failed', { message: messageOf(error), again_in_ms: RESTART_MS });
      starting = undefined;
      timer = setTimeout(start, RESTART_MS).unref();
    });
  };

  /** One at a time; a call that comes meanwhile runs once more after it. */
  const dispatch = (): Promise<void> => {
    dispatching = dispatching.then(move).catch((error: unknown) => {
      log.warn('outbox.waits', { message: messageOf(error) });
      if (!stopped) timer = setTimeout(() => void dispatch(), RESTART_MS).unref();
    });
    return dispatching;
  };

  const move = async (): Promise<void> => {
    const on = boss;
    if (!on || stopped) return;
    const waiting = await db.query<{ queue: string }>({ text: 'select distinct queue from outbox' });
    for (const { queue } of waiting) await queueOf(on, queue);
    const moved = await db.transaction(async (tx) => {
      const rows = await tx.query<OutboxRow>({
        text: `delete from outbox where id in (select id from outbox where queue = any($1::text[])
          order by id limit ${BATCH} for update skip locked) returning *`,
        values: [waiting.map(({ queue }) => queue)],
      });
      const executeSql = async (text: string, values?: unknown[]) => ({
        rows: await tx.query({ text, values }),
      });
      for (const row of rows.toSorted((a, b) => a.id - b.id))
        await on.send(
          row.queue,
          { value: row.data },
          {
            singletonKey: row.unique_key ?? randomUUID(),
            ...(row.start_after ? { startAfter: row.start_after } : {}),
            db: { executeSql },
          },
        );
      return rows.length;
    });
    for (const { queue } of waiting) {
      const worker = workers.get(queue);
      if (worker) on.notifyWorker(worker);
    }
    if (moved === BATCH) await move();
  };

  return {
    start,
    work: async <T extends Json>(queue: string, handler: (data: T) => Promise<void>) => {
      // What comes out of a queue is what was sent to it: the caller names its type.
      handlers.set(queue, handler as Handler);
      if (boss) await register(boss, queue, handler as Handler);
    },
    schedule: async (queue, cron, data = null) => {
      schedules.set(queue, { cron, data });
      if (boss) await plan(boss, queue, cron, data);
    },
    send: async (queue, data, options = {}) => {
      await db.query({
        text: `insert into outbox (queue, data, unique_key, start_after)
          values ($1, $2, $3, case when $4::double precision is null then null else now() + $4 * interval '1 second' end)`,
        values: [queue, JSON.stringify(data), options.unique ?? null, options.after_s ?? null],
      });
      start();
      void dispatch();
    },
    stop: async () => {
      stopped = true;
      clearTimeout(timer);
      // A database that is away must not keep the server from ending.
      const within = db.healthy() ? STOP_MS : AWAY_MS;
      await atMost(within, Promise.all([starting, dispatching]));
      await end(made, boss === made, within);
    },
  };
};

/** Connections of its own, or a place on ours where the database has only one. */
const placeOf = (db: Database, connection: Connection) => {
  if (connection.max === 1) return { db: bossDatabase(db), backend: 'pglite' as const };
  const { host, port, user, password, database, connectionString } = connection;
  return { host, port, user, password, database, connectionString, max: CONNECTIONS };
};

const end = (boss: PgBoss | undefined, graceful: boolean, within: number): Promise<unknown> =>
  atMost(within, boss?.stop({ graceful, timeout: within / 2, close: true }));

/** Waits for the work, but not for ever, and not for its success. */
const atMost = async (ms: number, work: Promise<unknown> | undefined): Promise<void> => {
  const done = new AbortController();
  await Promise.race([Promise.allSettled([work]), wait(ms, undefined, { signal: done.signal })]);
  done.abort();
};

interface OutboxRow {
  readonly id: number;
  readonly queue: string;
  readonly data: Json;
  readonly unique_key: string | null;
  readonly start_after: Date | null;
}
