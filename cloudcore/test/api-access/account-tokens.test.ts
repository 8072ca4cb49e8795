import assert from 'node:assert/strict';
import { failure, ServerFacts, type ApiCall, type ApiClient } from '@hawser/kube';
import { deferred } from '@hawser/seams';
import { FakeClock } from '@hawser/seams/testing';
import { AccountTokens } from '../../src/api-access/account-tokens.ts';
import type { Account } from '../../src/api-access/account.ts';
import { AccessRefusal } from '../../src/api-access/refusal.ts';
import { tokenOf } from './access-site.ts';

const SECONDS = 3600;
const LIFE_MS = SECONDS * 1000;

/** Pods that are not `web-<number>` of `web`. */
const PODS = new Map([
  ['other-1', { uid: 'u3', account: 'other' }],
  ['o', { uid: 'u2', account: 'other' }],
  ['b', { uid: 'u3', account: 'a' }],
]);

function account(name = 'web', pod = 'web-1', podUid = 'u1', uid = ''): Account {
  return { namespace: 'default', name, uid, pod: { name: pod, uid: podUid } };
}

/** An API server that gives tokens when a test says so. */
class Tokens implements ApiClient {
  readonly server = new ServerFacts();
  /** For tokens. */
  readonly calls: ApiCall[] = [];
  /** What the next call answers with. */
  next: () => Promise<unknown> = () => Promise.resolve(this.answer());
  /** Parts of every pod that differ. */
  pod: { readonly uid?: string; readonly spec?: object; readonly phase?: string } = {};

  request(call: ApiCall): Promise<unknown> {
    if (call.method === 'GET') return Promise.resolve(this.#pod(call.path.split('/').at(-1) ?? ''));
    this.calls.push(call);
    return this.next();
  }

  #pod(name: string): unknown {
    const known = PODS.get(name) ?? { uid: `u${name.replace(/^\D*/, '')}`, account: 'web' };
    const { uid = known.uid, spec = {}, phase = 'Running' } = this.pod;
    const metadata = { namespace: 'default', name, uid };
    const volumes = [{ projected: { sources: [{ serviceAccountToken: { expirationSeconds: 3607 } }] } }];
    const usual = { nodeName: 'edge-1', serviceAccountName: known.account, volumes };
    return { metadata, spec: { ...usual, ...spec }, status: { phase } };
  }

  answer(accountUid = 'a1', seconds = SECONDS): unknown {
    const order = { expirationSeconds: seconds, serviceAccountUid: accountUid };
    return { status: { token: tokenOf(this.calls.length, order as Parameters<typeof tokenOf>[1]) } };
  }

  stream(): Promise<never> {
    return Promise.reject(new TypeError('tokens are no streams'));
  }

  close(): void {}
}

describe('tokens of accounts', () => {
  let clock: FakeClock;
  let api: Tokens;
  let index: Map<string, AccountTokens>;
  let asked: string[];
  let ending: AbortController;
  let tokens: AccountTokens;

  beforeEach(() => {
    clock = new FakeClock();
    api = new Tokens();
    index = new Map();
    asked = [];
    ending = new AbortController();
    const onAsked = (result: string): void => void asked.push(result);
    tokens = new AccountTokens({ node: 'edge-1', client: api, signal: ending.signal, onAsked, index, clock });
  });

  async function refusal(promise: Promise<unknown>): Promise<AccessRefusal> {
    const error: unknown = await promise.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof AccessRefusal, String(error));
    return error;
  }

  it('are asked for once, bound to the pod, for the API server and an hour', async () => {
    const open = deferred<unknown>();
    api.next = () => open.promise;
    const many = Array.from({ length: 50 }, () => tokens.get(account()));
    open.resolve(api.answer());
    assert.equal(new Set(await Promise.all(many)).size, 1);
    await tokens.get(account());
    assert.equal(api.calls.length, 1);
    const [call] = api.calls;
    assert.equal(call?.method, 'POST');
    assert.equal(call.path, '/api/v1/namespaces/default/serviceaccounts/web/token');
    assert.deepEqual((call.body as { spec: unknown }).spec, {
      expirationSeconds: SECONDS,
      boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'web-1', uid: 'u1' },
    });
    assert.deepEqual(asked, ['ok']);
  });

  it('are one for each pod', async () => {
    const all = [
      await tokens.get(account()),
      await tokens.get(account('web', 'web-2', 'u2')),
      await tokens.get(account('other', 'other-1', 'u3')),
    ];
    assert.equal(new Set(all).size, 3);
    assert.equal(tokens.size, 3);
    // The same name, and another pod.
    api.pod = { uid: 'u9' };
    assert.notEqual(await tokens.get(account('web', 'web-1', 'u9')), all[0]);
    assert.equal(tokens.size, 3);
  });

  it('are renewed after 80 % of their life while the former one goes on', async () => {
    const first = await tokens.get(account());
    await clock.advance(LIFE_MS * 0.8 - 1);
    assert.equal(await tokens.get(account()), first);
    assert.equal(api.calls.length, 1);
    await clock.advance(1);
    const open = deferred<unknown>();
    api.next = () => open.promise;
    assert.equal(await tokens.get(account()), first);
    assert.equal(await tokens.get(account()), first);
    assert.equal(api.calls.length, 2);
    open.resolve(api.answer());
    await clock.advance(0);
    const second = await tokens.get(account());
    assert.notEqual(second, first);
    assert.equal(api.calls.length, 2);
  });

  it('are used until their end where another one cannot be had, and not after it', async () => {
    const first = await tokens.get(account());
    api.next = () => Promise.reject(failure(500, 'InternalError', 'no etcd'));
    await clock.advance(LIFE_MS - 1);
    assert.equal(await tokens.get(account()), first);
    await clock.advance(0);
    await clock.advance(1001);
    const error = await refusal(tokens.get(account()));
    assert.equal(error.status.code, 503);
    assert.equal(error.status.details?.retryAfterSeconds, 1);
    assert.match(
      error.message,
      /node edge-1: no token of service account default\/web for pod web-1 .*no etcd/,
    );
  });

  it('that cannot be had are not asked for again within a second', async () => {
    api.next = () => Promise.reject(failure(404, 'NotFound', 'serviceaccounts "web" not found'));
    for (let times = 0; times < 20; times++) {
      const error = await refusal(tokens.get(account()));
      assert.equal(error.status.code, 403);
    }
    assert.equal(api.calls.length, 1);
    await clock.advance(1000);
    api.next = () => Promise.resolve(api.answer());
    await tokens.get(account());
    assert.equal(api.calls.length, 2);
    assert.deepEqual(asked, ['failed', 'ok']);
  });

  it('tell what is wrong: the pod has gone, the hub may not, the answer is none', async () => {
    api.next = () => Promise.reject(failure(409, 'Conflict', 'the UID in the bound object reference'));
    assert.equal((await refusal(tokens.get(account()))).status.code, 403);
    api.next = () => Promise.reject(failure(403, 'Forbidden', 'cannot create resource'));
    const forbidden = await refusal(tokens.get(account('other', 'o', 'u2')));
    assert.equal(forbidden.status.code, 503);
    assert.match(forbidden.message, /the rights that it needs/);
    api.next = () => Promise.resolve({ status: {} });
    assert.equal((await refusal(tokens.get(account('a', 'b', 'u3')))).status.code, 503);
  });

  it('are had for what a node may have tokens for: pods of its own that live and have one', async () => {
    const wrong = [
      { uid: 'another' },
      { spec: { nodeName: 'edge-2' } },
      { spec: { serviceAccountName: 'other' } },
      { spec: { volumes: [] } }, // automountServiceAccountToken: false
      { spec: { volumes: [{ projected: { sources: [{ serviceAccountToken: { audience: 'vault' } }] } }] } },
      { phase: 'Succeeded' },
    ];
    for (const [index, pod] of wrong.entries()) {
      api.pod = pod;
      const error = await refusal(tokens.get(account('web', `web-${index}`, `u${index}`)));
      assert.equal(error.status.code, 403, error.message);
    }
    assert.equal(api.calls.length, 0);
    const short = { serviceAccountToken: { expirationSeconds: 700 } };
    api.pod = { spec: { volumes: [{ projected: { sources: [short] } }] } };
    await tokens.get(account('web', 'web-9', 'u9'));
    const { spec } = api.calls[0]?.body as { spec: { expirationSeconds: number } };
    assert.equal(spec.expirationSeconds, 700);
  });

  it('that the API server refuses are not shown again', async () => {
    const first = await tokens.get(account());
    tokens.refused(account(), first);
    const second = await tokens.get(account());
    assert.notEqual(second, first);
    tokens.refused(account(), first); // said too late
    assert.equal(await tokens.get(account()), second);
  });

  it('are of the account that the caller has a token of, not of one made again by its name', async () => {
    assert.ok(await tokens.get(account('web', 'web-1', 'u1', 'a1')));
    const error = await refusal(tokens.get(account('web', 'web-1', 'u1', 'former')));
    assert.equal(error.status.code, 401);
    assert.equal(error.status.reason, 'Unauthorized');
  });

  it('end with their pod and with the session', async () => {
    await tokens.get(account());
    await tokens.get(account('web', 'web-2', 'u2'));
    assert.deepEqual([...index.keys()], ['default/web-1', 'default/web-2']);
    tokens.podChanged('default/web-1', 'u1'); // only its status
    assert.equal(tokens.size, 2);
    tokens.podChanged('default/web-1', undefined);
    tokens.podChanged('default/web-2', 'another');
    assert.equal(tokens.size, 0);
    assert.equal(index.size, 0);
    await tokens.get(account());
    ending.abort(new Error('ended'));
    tokens.end();
    assert.equal(index.size, 0);
    assert.equal(tokens.size, 0);
  });

  it('are bounded: those that were not used for the longest time go', async () => {
    for (let number = 0; number < 300; number++) {
      await tokens.get(account('web', `web-${number}`, `u${number}`));
      await tokens.get(account('web', 'web-0', 'u0'));
    }
    assert.equal(tokens.size, 256);
    assert.equal(index.size, 256);
    const calls = api.calls.length;
    await tokens.get(account('web', 'web-0', 'u0'));
    assert.equal(api.calls.length, calls);
  });

  it('reject with the end of the session while they are asked for', async () => {
    const reason = new Error('the session has ended');
    api.next = () => {
      ending.abort(reason);
      return Promise.reject(reason);
    };
    await assert.rejects(tokens.get(account()), reason);
  });
});
