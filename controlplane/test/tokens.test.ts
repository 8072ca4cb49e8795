import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { MemoryStore, type KubeObject } from '@hawser/kube';
import { FakeClock } from '@hawser/seams/testing';
import { TokenKey } from '../src/tokens/jwt.ts';
import { ServiceAccountTokens, TOKEN_ISSUER } from '../src/tokens/service-account-tokens.ts';

function newKey(): TokenKey {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return new TokenKey(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
}

const object = (kind: string, name: string, uid: string): KubeObject => ({
  apiVersion: 'v1',
  kind,
  metadata: { name, uid, namespace: 'ns' },
});
const key = (
  resource: string,
  name: string,
): { group: string; resource: string; namespace: string; name: string } => ({
  ...{ group: '', resource, namespace: 'ns', name },
});
const ORDER = {
  namespace: 'ns',
  serviceAccount: 'app',
  serviceAccountUid: 'u1',
  audiences: [TOKEN_ISSUER],
  expirationSeconds: 600,
  boundTo: undefined,
  nodeName: undefined,
};
const POD = { kind: 'Pod', apiVersion: 'v1', name: 'p', uid: 'u2' };

describe('service account tokens', () => {
  let store: MemoryStore;
  let clock: FakeClock;
  let tokens: ServiceAccountTokens;

  beforeEach(async () => {
    store = new MemoryStore();
    clock = new FakeClock();
    tokens = new ServiceAccountTokens({ key: newKey(), store, clock });
    await store.create(key('serviceaccounts', 'app'), object('ServiceAccount', 'app', 'u1'));
    await store.create(key('pods', 'p'), object('Pod', 'p', 'u2'));
  });
  afterEach(() => store.close());

  it('stand for the account, and name the pod and node they are bound to', async () => {
    const { token, expiresAtMs } = await tokens.issue({ ...ORDER, boundTo: POD, nodeName: 'n1' });
    assert.equal(expiresAtMs, clock.wallMs() + 600_000);
    const identity = tokens.authenticateToken(token, []);
    assert.ok(identity);
    assert.deepEqual(identity.audiences, [TOKEN_ISSUER]);
    assert.equal(identity.user.username, 'system:serviceaccount:ns:app');
    assert.equal(identity.user.uid, 'u1');
    assert.deepEqual(identity.user.groups, [
      'system:serviceaccounts',
      'system:serviceaccounts:ns',
      'system:authenticated',
    ]);
    assert.deepEqual(identity.user.extra['authentication.kubernetes.io/pod-name'], ['p']);
    assert.deepEqual(identity.user.extra['authentication.kubernetes.io/node-name'], ['n1']);
  });

  it('end when they expire', async () => {
    const { token } = await tokens.issue(ORDER);
    await clock.advance(599_000);
    assert.ok(tokens.authenticateToken(token, []));
    await clock.advance(1000);
    assert.equal(tokens.authenticateToken(token, []), undefined);
  });

  it('end with the account, even if another takes its name', async () => {
    const { token } = await tokens.issue(ORDER);
    const entry = store.get(key('serviceaccounts', 'app'));
    await store.delete(key('serviceaccounts', 'app'), entry?.resourceVersion ?? 0);
    assert.equal(tokens.authenticateToken(token, []), undefined);
    await store.create(key('serviceaccounts', 'app'), object('ServiceAccount', 'app', 'u9'));
    assert.equal(tokens.authenticateToken(token, []), undefined);
  });

  it('end with the pod that they are bound to', async () => {
    const { token } = await tokens.issue({ ...ORDER, boundTo: POD });
    const entry = store.get(key('pods', 'p'));
    await store.delete(key('pods', 'p'), entry?.resourceVersion ?? 0);
    assert.equal(tokens.authenticateToken(token, []), undefined);
  });

  it('are good for their audiences alone', async () => {
    const { token } = await tokens.issue({ ...ORDER, audiences: ['vault', 'other'] });
    assert.equal(tokens.authenticateToken(token, []), undefined);
    assert.deepEqual(tokens.authenticateToken(token, ['x', 'vault'])?.audiences, ['vault']);
  });

  it('are refused when anything about them is not ours', async () => {
    const { token } = await tokens.issue(ORDER);
    const [header = '', payload = '', signature = ''] = token.split('.');
    const forged = Buffer.from(
      JSON.stringify({ ...JSON.parse(Buffer.from(payload, 'base64url').toString()), sub: 'x' }),
    );
    const none = Buffer.from('{"alg":"none"}').toString('base64url');
    const others = new ServiceAccountTokens({ key: newKey(), store, clock });
    const wrong = [
      '',
      'a.b.c',
      `${header}.${payload}`,
      `${header}.${payload}.`,
      `${header}.${forged.toString('base64url')}.${signature}`,
      `${none}.${payload}.`,
      `${none}.${payload}.${signature}`,
      `${token}x`,
      'x'.repeat(20_000),
      (await others.issue(ORDER)).token,
      newKey().sign({ iss: TOKEN_ISSUER }),
    ];
    for (const text of wrong) assert.equal(tokens.authenticateToken(text, []), undefined, text.slice(0, 40));
    assert.ok(tokens.authenticateToken(token, []));
  });
});
