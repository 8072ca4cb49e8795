import assert from 'node:assert/strict';
import { deflateRawSync } from 'node:zlib';
import { randomBelow, seededRandom, type Random } from '@hawser/seams';
import { scaled } from '@hawser/seams/testing';
import { packJson, type UpstreamBodies } from '@hawser/sync';
import { condition, nodeBody, startHub, uidOf, type HubFixture } from './hub-fixture.ts';

const NODE = 'edge-1';
const OTHER = 'edge-2';
const AT = '2026-01-01T00:00:00Z';
const TRIES = scaled(1500, 60_000);

const UNLIMITED = { perNode: { perSecond: 1e6, burst: 1e6 }, overall: { perSecond: 1e6, burst: 1e6 } };

describe('hostile messages', () => {
  let hub: HubFixture;

  beforeEach(async () => {
    hub = await startHub({ limits: UNLIMITED });
  });

  afterEach(() => hub.stop());

  const raw = (kind: string, body: Uint8Array): Promise<{ status: number; message?: string }> =>
    hub.router.handle(NODE, kind, body, hub.session.signal);

  it('of unknown kinds are refused, whatever objects inherit', async () => {
    for (const kind of ['', 'Node', 'toString', '__proto__', 'constructor', 'x'.repeat(100_000)]) {
      assert.equal((await raw(kind, packJson({}))).status, 400, kind.slice(0, 20));
    }
    assert.equal(await hub.metric('hawser_upstream_refused_total', { kind: 'unknown' }), 6);
  });

  it('that are not packed JSON are refused', async () => {
    const bodies = [
      new Uint8Array(),
      Buffer.from([0]),
      Buffer.from([9, 1, 2]),
      Buffer.from([1, 255, 255, 255]),
      Buffer.from([0, 0xff, 0xfe]),
      Buffer.from('\0{"labels":'),
    ];
    for (const body of bodies) assert.equal((await raw('node', body)).status, 400);
  });

  it('that are small and become large are refused before they are', async () => {
    const bomb = Buffer.concat([Buffer.from([1]), deflateRawSync(Buffer.alloc(64 * 2 ** 20, '['))]);
    assert.ok(bomb.length < 100_000);
    const heap = process.memoryUsage().arrayBuffers;
    assert.equal((await raw('node', bomb)).status, 400);
    assert.ok(process.memoryUsage().arrayBuffers - heap < 16 * 2 ** 20);
  });

  it('that are nested to break recursion are refused', async () => {
    const depth = 200_000;
    const text = `{"labels":{},"annotations":{},"taints":[],"status":{"x":${'['.repeat(depth)}${']'.repeat(depth)}}}`;
    const { status, message } = await raw('node', Buffer.from(`\0${text}`));
    assert.equal(status, 400);
    assert.match(message ?? '', /nested/);
  });

  it('with members that nobody knows are refused, with their place', async () => {
    const { status, message } = await raw('node', packJson({ ...nodeBody(), spec: {} }));
    assert.equal(status, 400);
    assert.match(message ?? '', /spec/);
    const event = { ...SAMPLES.event, regarding: { ...SAMPLES.event.regarding, resourceVersion: '1' } };
    assert.equal((await raw('event', packJson(event))).status, 400);
  });

  it('with names that lead elsewhere are refused', async () => {
    const uid = 'x';
    const status = { phase: 'Running' };
    for (const [namespace, name] of [
      ['..', 'web'],
      ['default', '..'],
      ['default', 'web/status'],
      ['default', 'web?dryRun=All'],
      ['kube-system/secrets', 'x'],
      ['', 'web'],
      ['default', ''],
      ['default', 'a'.repeat(254)],
    ]) {
      const body = packJson({ namespace, name, uid, status });
      assert.equal((await raw('pod', body)).status, 400, `${namespace}/${name}`);
    }
    assert.deepEqual(hub.client.calls, []);
  });

  it('with __proto__ in them change no prototype', async () => {
    const text = JSON.stringify(nodeBody({ capacity: { cpu: '1' } })).replace(
      '"status":{',
      '"status":{"__proto__":{"polluted":true},',
    );
    await raw('node', Buffer.from(`\0${text}`));
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
    const [node] = [...hub.state().values()];
    assert.ok(!(node ?? '').includes('polluted'));
  });

  it(`made from good ones by ${TRIES} changes at random never change anything of others`, async function () {
    this.timeout(scaled(20_000, 600_000));
    const own = await hub.pod('own', NODE);
    const theirs = await hub.pod('theirs', OTHER);
    await hub.say(OTHER, 'node', nodeBody());
    const random = seededRandom(20261122);
    const uids = [uidOf(own), uidOf(theirs), 'other'];
    const keptApart = (): unknown => {
      const state = hub.state();
      return [state.get('pods/default/theirs'), state.get('nodes//edge-2')];
    };
    const before = keptApart();
    const seen = new Set<number>();
    for (let n = 0; n < TRIES; n += 1) {
      const kinds = Object.keys(SAMPLES) as (keyof typeof SAMPLES)[];
      const kind = kinds[randomBelow(random, kinds.length)] ?? 'node';
      const body = mutated(SAMPLES[kind], random, uids);
      const { status } = await raw(kind, packJson(body));
      seen.add(status);
      // Nobody renews certificates here, or has devices.
      const fine = ELSEWHERE.has(kind) || (status !== 500 && status !== 503);
      assert.ok(fine, `${kind} ${JSON.stringify(body)}: ${status}`);
    }
    assert.deepEqual(keptApart(), before);
    assert.deepEqual(hub.tokens, []);
    for (const { involvedObject } of (await hub.events.list('')).items) {
      const { name } = involvedObject as { name: string };
      assert.ok(name === NODE || name === 'own', name);
    }
    // The changes were neither all harmless nor all fatal.
    for (const status of [0, 400, 403, 404]) assert.ok(seen.has(status), `never ${status}`);
  });
});

const ELSEWHERE: ReadonlySet<string> = new Set(['certificate-renewal', 'device', 'device-setting', 'upload']);

const SAMPLES = {
  node: nodeBody(),
  pod: {
    namespace: 'default',
    name: 'own',
    uid: 'UID',
    status: { phase: 'Running', conditions: [condition('Ready', 'True')], podIP: '10.0.0.1' },
  },
  'pod-gone': { namespace: 'default', name: 'own', uid: 'UID' },
  event: {
    id: '0123456789',
    regarding: { apiVersion: 'v1', kind: 'Pod', namespace: 'default', name: 'own', uid: 'UID' },
    type: 'Normal',
    reason: 'Pulled',
    message: 'there',
    count: 1,
    firstTimestamp: AT,
    lastTimestamp: AT,
    component: 'edge',
  },
  report: { code: 'ERR_X', message: 'x', at: AT },
  device: { namespace: 'default', name: 'own', uid: 'UID', twins: [] },
  'device-setting': {
    namespace: 'default',
    name: 'own',
    uid: 'UID',
    settings: [{ property: 'a', value: '1' }],
  },
  upload: { topic: '$hw/events/upload/a', payload: 'AAAA', at: AT },
  'token-request': {
    namespace: 'default',
    serviceAccount: 'default',
    podName: 'own',
    podUid: 'UID',
    audiences: [],
    expirationSeconds: 3600,
  },
  'pool-report': {
    ...{ pool: 'own', endpoint: '10.0.0.1:10263', epoch: 1, version: '7' },
    ...{ complete: true, writable: true, peers: 2 },
  },
  'pool-claim': { pool: 'own', epoch: 1, silentMs: 0 },
  'pool-direct': { pool: 'own' },
  'certificate-renewal': { csr: 'CSR' },
} satisfies { [K in keyof UpstreamBodies]: UpstreamBodies[K] };

const NASTY: readonly unknown[] = [
  ...[null, true, -1, 1e308, '', '..', '../secrets', 'theirs', 'edge-2', 'edge-1', 'own', 'kube-system'],
  ...[[], {}, [[]], { a: 1 }, 'x'.repeat(5000), '\u0000', '\ud800', 'Node', 'Pod', 'Succeeded', 'Unknown'],
];

/** A body with one to three of its values, at any depth, replaced, removed or doubled. */
function mutated(sample: unknown, random: Random, uids: readonly string[]): unknown {
  const text = JSON.stringify(sample).replaceAll('"UID"', () => JSON.stringify(pick(random, uids)));
  const body: unknown = JSON.parse(text);
  for (let left = randomBelow(random, 3); left >= 0; left -= 1) mutateOnce(body, random);
  return body;
}

function mutateOnce(body: unknown, random: Random): void {
  let at = body;
  while (typeof at === 'object' && at !== null) {
    const holder = at as Record<string, unknown>;
    const keys = Object.keys(holder);
    const key = pick(random, keys);
    if (key === undefined) return;
    const inner = holder[key];
    if (typeof inner === 'object' && inner !== null && random.next() < 0.7) {
      at = inner;
      continue;
    }
    const how = random.next();
    if (how < 0.2) Reflect.deleteProperty(holder, key);
    else if (how < 0.3) holder[`${key}x`] = inner;
    else holder[key] = structuredClone(pick(random, NASTY));
    return;
  }
}

function pick<T>(random: Random, items: readonly T[]): T | undefined {
  return items[randomBelow(random, items.length)];
}
