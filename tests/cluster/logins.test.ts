import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { visitVendor } from '../auth/support/vendor-page.ts';
import { type Member, startCluster, type TestCluster } from './support/cluster.ts';

let cluster: TestCluster;
let one: Member;
let two: Member;
beforeAll(async () => {
  cluster = await startCluster();
  [one, two] = [await cluster.add(), await cluster.add()];
});
afterAll(() => cluster[Symbol.asyncDispose]());

describe('a login in a cluster (P9, S8)', () => {
  it('is begun at one server, completed at another, and shown by both as it changes', async () => {
    const watches = [one, two].map(({ live }) => live.watchServer());
    const states = () => watches.map((watch) => watch.credentials.value?.[0]?.state);
    const flows = () => watches.map((watch) => watch.logins.value?.[0]?.state);
    const { flow_id, url } = await one.client.startLogin({
      params: { provider: 'anthropic' },
      body: { method: 'paste', acknowledge_terms: true },
    });
    await expect.poll(flows).toEqual(['waiting', 'waiting']);
    const { credential } = await two.client.completeLogin({
      params: { flow_id },
      body: { code: await visitVendor(url) },
    });
    await expect.poll(flows).toEqual(['done', 'done']);
    await expect.poll(states).toEqual(['valid', 'valid']);

    cluster.simulator.logins.revoke();
    const params = { id: credential.id };
    expect(await one.client.refreshCredential({ params })).toMatchObject({ ok: false });
    await expect.poll(states).toEqual(['needs_login', 'needs_login']);
    await one.client.deleteCredential({ params, query: {} });
    await expect.poll(states).toEqual([undefined, undefined]);
    for (const watch of watches) watch.close();
  });
});
