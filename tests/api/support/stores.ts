import { createHash } from 'node:crypto';
import { fail, ok, type Stores } from '@maestro/ports';
import type { AuditEvent, BlobId, Credential, Message } from '@maestro/protocol';
import { noTotals, type World } from './world.ts';

const notUsed = (): never => {
  throw new Error('the API does not use this part of the store');
};

/** The part of the store that the API reads by itself, in memory. */
export const memoryStores = (
  world: World,
): Stores & { readonly audited: Omit<AuditEvent, 'id' | 'at'>[] } => {
  const audited: Omit<AuditEvent, 'id' | 'at'>[] = [];
  const blobs = new Map<BlobId, { bytes: Uint8Array; media_type: string }>();
  const browsers = new Map<string, Date>();
  const credentials = new Map<string, { credential: Credential; secret: string }>();
  return {
    audited,
    engine: { kind: 'managed', version: 'memory' },
    healthy: () => true,
    sessions: {
      create: notUsed,
      get: async (id) => world.held.get(id)?.session,
      card: notUsed,
      list: async ({ archived }) => ({
        cards: archived ? [] : [...world.held.keys()].map((id) => world.card(id)),
        next: null,
      }),
      delete: notUsed,
      acquire: notUsed,
      renewAll: notUsed,
      heldBy: notUsed,
      release: notUsed,
      handOver: notUsed,
      abandoned: notUsed,
      unfinished: notUsed,
      holder: notUsed,
      commit: notUsed,
      fork: notUsed,
      activate: notUsed,
      conversations: async (id) => world.conversations(id),
      checkpoint: notUsed,
      snapshot: notUsed,
      changes: notUsed,
      items: notUsed,
      item: notUsed,
      turn: notUsed,
      lastTurn: notUsed,
      queue: async () => [],
      history: notUsed,
      messages: async () => ({ messages: [] as Message[], next: null }),
      raw: async () => undefined,
      totals: async (id) => world.held.get(id)?.session.totals,
      conversation: notUsed,
      epoch: () => world.epoch,
    },
    blobs: {
      put: async (bytes, media_type) => {
        const id = createHash('sha256').update(bytes).digest('hex') as BlobId;
        blobs.set(id, { bytes, media_type });
        return { id, media_type, size: bytes.length };
      },
      get: async (id) => blobs.get(id),
      facts: notUsed,
    },
    settings: { get: notUsed, set: notUsed, all: notUsed },
    tools: { seed: notUsed, disabled: notUsed, setEnabled: notUsed },
    credentials: {
      list: async () => [...credentials.values()].map(({ credential }) => credential),
      get: async (id) => credentials.get(id)?.credential,
      create: async ({ secret, id, provider, name, auth_type, profile, is_default }) => {
        const same = [...credentials.values()].some(
          ({ credential }) => credential.provider === provider && credential.name === name,
        );
        if (same) return fail('conflict', `There is a credential "${name}" already.`, { field: 'body.name' });
        const at = new Date().toISOString();
        const credential: Credential = {
          id,
          provider,
          name,
          auth_type,
          last4: secret.slice(-4),
          state: 'unchecked',
          detail: null,
          refreshing: false,
          account: null,
          profile_in_force: null,
          is_default,
          is_enabled: true,
          profile,
          expires_at: null,
          last_used_at: null,
          created_at: at,
          updated_at: at,
        };
        credentials.set(id, { credential, secret });
        return ok(credential);
      },
      setState: async (id, state, detail = null) => {
        const held = credentials.get(id);
        if (held) held.credential = { ...held.credential, state, detail };
        return held?.credential;
      },
      delete: async (id) => credentials.delete(id),
      patch: async (id, { is_default, ...change }) => {
        const held = credentials.get(id);
        if (held)
          held.credential = { ...held.credential, ...change, ...(is_default ? { is_default } : undefined) };
        return ok(held?.credential);
      },
      resolve: notUsed,
      secret: async (id) => credentials.get(id)?.secret,
      open: notUsed,
      putLogin: notUsed,
      claimRefresh: notUsed,
      holdRefresh: notUsed,
      markSent: notUsed,
      storeTokens: notUsed,
      endRefresh: notUsed,
      restoredFrom: notUsed,
      expiring: notUsed,
    },
    logins: { create: notUsed, get: notUsed, list: async () => [], move: notUsed },
    audit: {
      write: async (event) => void audited.push(event),
      list: async () => ({ events: [], next: null }),
    },
    usage: {
      report: async () => ({ total: noTotals, lines: [] }),
      session: async (id) => {
        const totals = world.held.get(id)?.session.totals;
        return totals && { totals, tree: totals, by_activity: [], by_model: [] };
      },
    },
    browsers: {
      create: async (hash, expires) => void browsers.set(hash, expires),
      touch: async (hash) => (browsers.get(hash)?.getTime() ?? 0) > Date.now(),
      delete: async (hash) => void browsers.delete(hash),
      deleteAll: async () => browsers.clear(),
    },
    jobs: { work: notUsed, send: notUsed, schedule: notUsed },
  };
};
