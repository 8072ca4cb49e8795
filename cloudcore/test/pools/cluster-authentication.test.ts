import assert from 'node:assert/strict';
import type { ApiCall, ApiClient } from '@hawser/kube';
import { silentLogger } from '@hawser/seams';
import { eventually, FakeClock } from '@hawser/seams/testing';
import { ClusterAuthentication, type AuthenticationObject } from '../../src/pools/cluster-authentication.ts';

const ISSUER = 'https://kubernetes.default.svc';

describe('what callers of a cluster are known by', () => {
  let answers: Record<string, unknown>;
  let asked: string[];
  let told: AuthenticationObject[];
  let failures: number;
  let clock: FakeClock;
  let authentication: ClusterAuthentication;
  let authorities: readonly string[];

  beforeEach(() => {
    answers = {
      '/.well-known/openid-configuration': { issuer: ISSUER },
      '/openid/v1/jwks': { keys: [{ kty: 'EC', kid: 'one' }] },
    };
    asked = [];
    told = [];
    failures = 0;
    authorities = ['PEM-1\n', 'PEM-2\n'];
    clock = new FakeClock();
    const client = {
      request: ({ path }: ApiCall) => {
        asked.push(path);
        const answer = answers[path];
        return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
      },
    };
    authentication = new ClusterAuthentication({
      client: client as unknown as ApiClient, // only requests are made
      ...{ clock, log: silentLogger, clientAuthorities: () => authorities },
      onChange: (object) => void told.push(object),
      onFailed: () => (failures += 1),
    });
  });

  afterEach(() => authentication.stop());

  it('is issuer, keys and authorities, read again every few minutes', async () => {
    authentication.start();
    await eventually('it is told', () => told.length === 1);
    assert.deepEqual(told[0]?.spec, {
      ...{ issuer: ISSUER, audiences: [ISSUER] },
      jwks: { keys: [{ kty: 'EC', kid: 'one' }] },
      clientCa: 'PEM-1\nPEM-2\n',
    });
    authorities = ['PEM-3\n'];
    authentication.tell();
    assert.equal(told[1]?.spec.clientCa, 'PEM-3\n');
    answers['/openid/v1/jwks'] = { keys: [{ kid: 'two' }] };
    await clock.advance(300_000);
    await eventually('it is read again', () => told.length === 3);
    assert.deepEqual(told[2]?.spec.jwks.keys, [{ kid: 'two' }]);
    assert.equal(asked.length, 4);
  });

  it('stays as it was while it cannot be read, and is tried again', async () => {
    authentication.start();
    await eventually('it is told', () => told.length === 1);
    answers['/openid/v1/jwks'] = new Error('away');
    await clock.advance(300_000);
    await eventually('it has failed', () => failures === 1);
    assert.deepEqual([authentication.isKnown, told.length], [true, 1]);
    answers['/openid/v1/jwks'] = { keys: [{ kid: 'three' }] };
    await clock.advance(2_000);
    await eventually('it is read again', () => told.length === 2);
  });

  it('is nothing where the API server publishes nothing, which is known', async () => {
    for (const nothing of [{ keys: [] }, null, 'nonsense', { keys: 'nonsense' }]) {
      answers['/openid/v1/jwks'] = nothing;
      await assert.rejects(authentication.refresh(), { code: 'ERR_CLOUDCORE_CLUSTER' });
    }
    assert.deepEqual([authentication.isKnown, authentication.decided, told.length], [false, true, 0]);
  });
});
