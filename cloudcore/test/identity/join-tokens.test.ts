import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { HttpApiClient, ResourceClient, RESOURCES, type KubeObject } from '@hawser/kube';
import { startKubeFixture, type KubeFixture } from '@hawser/kube/testing';
import { ensureAuthority } from '../../src/identity/authority-secret.ts';
import {
  JoinTokens,
  type TokenClaim,
  type TokenGrant,
  type TokenOrder,
} from '../../src/identity/join-tokens.ts';
import { DAY_MS, ShiftedClock } from './shifted-clock.ts';

const KEY = 'k'.repeat(64);
const ADMIT = (): Promise<void> => Promise.resolve();

describe('join tokens', () => {
  let fixture: KubeFixture;
  let client: HttpApiClient;
  let clock: ShiftedClock;
  let pin: string;
  let tokens: JoinTokens;

  before(async () => {
    fixture = await startKubeFixture();
    client = new HttpApiClient({ server: fixture.url });
    ({ pin } = await ensureAuthority(client));
  });

  after(async () => {
    client.close();
    await fixture.stop();
  });

  beforeEach(async () => {
    clock = new ShiftedClock();
    tokens = new JoinTokens({ client, pin, clock });
    for (const { id } of await tokens.list()) await tokens.revoke(id);
  });

  async function made(order: TokenOrder = {}): Promise<string> {
    return (await tokens.create(order)).token;
  }

  function use(token: string, claim: Partial<TokenClaim> = {}, by = tokens): Promise<TokenGrant> {
    return by.consume({ token, node: 'edge-1', key: KEY, ...claim }, ADMIT);
  }

  async function secrets(): Promise<readonly KubeObject[]> {
    return (await new ResourceClient(client, RESOURCES.secrets).list('hawser-system')).items;
  }

  it('begin with the pin of the authority, and have a secret of 192 bits', async () => {
    const [, hash, secret] = /^([0-9a-f]{64})\.(.+)$/.exec(await made()) ?? [];
    assert.equal(hash, pin);
    assert.equal(Buffer.from(secret ?? '', 'base64url').length, 24);
  });

  it('live for a day and are good for one node unless something else is wished', async () => {
    const { details } = await tokens.create();
    assert.equal(details.maxUses, 1);
    assert.equal(details.replace, false);
    assert.equal(Date.parse(details.expiresAt) - Date.parse(details.createdAt), DAY_MS);
  });

  it('are kept as a hash: the secret is nowhere in the cluster', async () => {
    const token = await made({ node: 'edge-1', pool: 'site-1', description: 'for the roof', replace: true });
    const [, secret = ''] = token.split('.');
    const objects = (await secrets()).map((object) => ({
      ...object,
      data: Object.values((object['data'] ?? {}) as Record<string, string>).map((value) =>
        Buffer.from(value, 'base64').toString('utf8'),
      ),
    }));
    assert.ok(!JSON.stringify(objects).includes(secret));
    assert.ok(JSON.stringify(objects).includes(createHash('sha256').update(secret).digest('hex')));
    const [listed] = await tokens.list();
    assert.deepEqual(
      [listed?.node, listed?.pool, listed?.description, listed?.replace, listed?.uses],
      ['edge-1', 'site-1', 'for the roof', true, []],
    );
  });

  it('are used up', async () => {
    const token = await made();
    const grant = await use(token);
    assert.equal(grant.again, false);
    await assert.rejects(use(token, { node: 'edge-2', key: 'other' }), { code: 'ERR_CLOUDCORE_TOKEN_USED' });
    await assert.rejects(use(token, { key: 'other' }), { code: 'ERR_CLOUDCORE_TOKEN_USED' });
  });

  it('let the same key come again for the same node, at no further use', async () => {
    const token = await made();
    await use(token);
    assert.equal((await use(token)).again, true);
    await assert.rejects(use(token, { node: 'edge-2' }), { code: 'ERR_CLOUDCORE_TOKEN_USED' });
    assert.equal((await tokens.list())[0]?.uses.length, 1);
  });

  it('do not lose a use when the node is not admitted', async () => {
    const token = await made();
    const no = new Error('no');
    const claim = { token, node: 'edge-1', key: KEY };
    await assert.rejects(
      tokens.consume(claim, () => Promise.reject(no)),
      no,
    );
    assert.equal((await use(token)).again, false);
  });

  it('let exactly one of many in that come at once, over two replicas', async () => {
    const otherClient = new HttpApiClient({ server: fixture.url });
    const replicas = [tokens, new JoinTokens({ client: otherClient, pin, clock })];
    const token = await made();
    const outcomes = await Promise.allSettled(
      Array.from({ length: 12 }, (_, i) =>
        use(token, { node: `edge-${i}`, key: `key-${i}` }, replicas[i % 2]),
      ),
    );
    otherClient.close();
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') {
        assert.equal((outcome.reason as { code?: string }).code, 'ERR_CLOUDCORE_TOKEN_USED');
      }
    }
    assert.equal((await tokens.list())[0]?.uses.length, 1);
  });

  it('let exactly as many in as they have uses', async () => {
    const token = await made({ uses: 3 });
    const outcomes = await Promise.allSettled(
      Array.from({ length: 8 }, (_, i) => use(token, { node: `edge-${i}`, key: `key-${i}` })),
    );
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 3);
    const [token1] = await tokens.list();
    assert.equal(new Set(token1?.uses.map(({ node }) => node)).size, 3);
  });

  it('expire', async () => {
    const token = await made({ ttlMs: 60_000 });
    clock.shiftMs = 59_000;
    await use(token);
    clock.shiftMs = 60_001;
    await assert.rejects(use(token), { code: 'ERR_CLOUDCORE_TOKEN_EXPIRED' });
  });

  it('are deleted once expired, and no others', async () => {
    const [short] = [await made({ ttlMs: 60_000 }), await made()];
    assert.equal(await tokens.removeExpired(), 0);
    clock.shiftMs = 61_000;
    assert.equal(await tokens.removeExpired(), 1);
    assert.equal((await tokens.list()).length, 1);
    await assert.rejects(use(short), { code: 'ERR_CLOUDCORE_TOKEN' });
  });

  it('can be taken back, by id and by text', async () => {
    const [one, other] = [await tokens.create(), await tokens.create()];
    assert.equal(await tokens.revoke(one.details.id), true);
    assert.equal(await tokens.revoke(other.token), true);
    assert.equal(await tokens.revoke(one.details.id), false);
    assert.equal(await tokens.revoke('../hawser-authority'), false);
    for (const { token } of [one, other]) await assert.rejects(use(token), { code: 'ERR_CLOUDCORE_TOKEN' });
  });

  it('are good for the node and the pool that they are for', async () => {
    const token = await made({ node: 'edge-1', pool: 'site-1' });
    await assert.rejects(use(token, { node: 'edge-2' }), { code: 'ERR_CLOUDCORE_TOKEN_BOUND' });
    await assert.rejects(use(token, { pool: 'site-2' }), { code: 'ERR_CLOUDCORE_TOKEN_BOUND' });
    assert.equal((await use(token, { pool: 'site-1' })).pool, 'site-1');
    await assert.rejects(use(await made(), { pool: 'site-1' }), { code: 'ERR_CLOUDCORE_TOKEN_BOUND' });
  });

  const wrong: [string, string, (token: string) => string][] = [
    ['with another secret', 'ERR_CLOUDCORE_TOKEN', (token) => `${token.slice(0, 65)}${'A'.repeat(32)}`],
    ['of another authority', 'ERR_CLOUDCORE_TOKEN_CLUSTER', (token) => `${'0'.repeat(64)}${token.slice(64)}`],
    ['without a secret', 'ERR_CLOUDCORE_TOKEN', (token) => token.slice(0, 65)],
    ['with more behind it', 'ERR_CLOUDCORE_TOKEN', (token) => `${token}/..`],
    ['that is empty', 'ERR_CLOUDCORE_TOKEN', () => ''],
  ];
  for (const [what, code, change] of wrong) {
    it(`${what} are none`, async () => {
      const token = await made();
      await assert.rejects(use(change(token)), { code });
    });
  }

  it('whose Secret was damaged are none, and do not hide the others', async () => {
    const { token, details } = await tokens.create();
    await made();
    const resource = new ResourceClient(client, RESOURCES.secrets);
    const secret = await resource.get('hawser-system', `join-token-${details.id}`);
    await resource.update({ ...secret, data: { ...(secret['data'] as object), uses: 'bm9uc2Vuc2U=' } });
    await assert.rejects(use(token), { code: 'ERR_CLOUDCORE_TOKEN' });
    assert.equal((await tokens.list()).length, 1);
  });

  const orders: [string, TokenOrder, string][] = [
    ['for a second', { ttlMs: 1000 }, 'ERR_CLOUDCORE_TOKEN_OPTIONS'],
    ['for ten years', { ttlMs: 3650 * DAY_MS }, 'ERR_CLOUDCORE_TOKEN_OPTIONS'],
    ['for no time at all', { ttlMs: NaN }, 'ERR_CLOUDCORE_TOKEN_OPTIONS'],
    ['with no uses', { uses: 0 }, 'ERR_CLOUDCORE_TOKEN_OPTIONS'],
    ['with half a use', { uses: 1.5 }, 'ERR_CLOUDCORE_TOKEN_OPTIONS'],
    ['with too many uses', { uses: 1001 }, 'ERR_CLOUDCORE_TOKEN_OPTIONS'],
    ['for one node, twice', { node: 'edge-1', uses: 2 }, 'ERR_CLOUDCORE_TOKEN_OPTIONS'],
    ['for no pool', { pool: 'No Pool' }, 'ERR_CLOUDCORE_TOKEN_OPTIONS'],
    ['for a pool whose name is no value of a label', { pool: 'x'.repeat(64) }, 'ERR_CLOUDCORE_TOKEN_OPTIONS'],
    ['with a novel', { description: 'x'.repeat(201) }, 'ERR_CLOUDCORE_TOKEN_OPTIONS'],
    ['for no node', { node: 'No Node' }, 'ERR_CLOUDCORE_NODE_NAME'],
  ];
  for (const [what, order, code] of orders) {
    it(`are not made ${what}`, async () => {
      await assert.rejects(tokens.create(order), { code });
    });
  }
});
