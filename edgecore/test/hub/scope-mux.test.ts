import assert from 'node:assert/strict';
import { encodeHubMessage, type OutgoingFrame } from '@hawser/proto';
import { silentLogger } from '@hawser/seams';
import { ScopeReplica, SyncError, type ReplicaChecks } from '@hawser/sync';
import { MemoryReplicaStore } from '@hawser/sync/testing';
import { ScopeMux } from '../../src/hub/scope-mux.ts';

const IN_SYNC = encodeHubMessage({ inSync: { stamp: Uint8Array.of(7) } });

/** A session whose frames a test reads, and the replicas that are followed in it. */
function open() {
  const sent: string[] = [];
  const failing: { send?: Error } = {};
  const mux = new ScopeMux({
    send: (frame) => {
      if (failing.send !== undefined) return Promise.reject(failing.send);
      sent.push(said(frame));
      return Promise.resolve();
    },
    log: silentLogger,
  });
  const ended: string[] = [];
  const replicaOf = (scope: string, checks?: ReplicaChecks): ScopeReplica =>
    new ScopeReplica({ scope, store: new MemoryReplicaStore(), ...(checks && { checks }) });
  const follow = (replica: ScopeReplica, epoch = 0, direct = false) =>
    mux.follow(replica, {
      ...{ epoch, direct },
      onEnded: (code, message) => ended.push(`${replica.scope}: ${code}: ${message}`),
    });
  return { mux, sent, failing, ended, replicaOf, follow };
}

function said(frame: OutgoingFrame): string {
  if ('subscribe' in frame) {
    const { scope, kind, name, epoch, direct } = frame.subscribe;
    return `subscribe ${scope} ${kind}/${name} ${epoch}${direct === true ? ' direct' : ''}`;
  }
  if ('unsubscribe' in frame) return `unsubscribe ${frame.unsubscribe.scope}`;
  return Object.keys(frame)[0] ?? '';
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('Scopes of one session', () => {
  it('have numbers of their own, and their frames go to them', async () => {
    const { mux, sent, replicaOf, follow } = open();
    const own = replicaOf('node/edge-1');
    const [services, slices] = [replicaOf('pool/p/services'), replicaOf('pool/p/slices')];
    mux.open(own, { onFailed: (error) => assert.fail(error) });
    follow(services, 4);
    follow(slices, 0, true);
    await settle();
    assert.deepEqual(sent, [
      'subscribe 1 node/edge-1 0',
      'subscribe 2 pool/p/services 4',
      'subscribe 3 pool/p/slices 0 direct',
    ]);
    mux.onDelta({ scope: 3, sequence: 1, body: IN_SYNC });
    await settle();
    assert.deepEqual(
      [own, services, slices].map(({ state }) => state.synced),
      [false, false, true],
    );
    assert.equal(mux.size, 3);
  });

  it('take nothing more once they are unsubscribed from, and their numbers are not given again', async () => {
    const { mux, sent, ended, replicaOf, follow } = open();
    const replica = replicaOf('pool/p/services');
    const following = follow(replica);
    await settle();
    following?.end();
    following?.end();
    assert.equal(replica.state.connected, false);
    mux.onDelta({ scope: 1, sequence: 1, body: IN_SYNC });
    mux.onDelta({ scope: 1, sequence: 77, body: Uint8Array.of(255) });
    assert.equal(mux.onError({ scope: 1, code: 'ERR_CLOUDCORE_FENCED', message: 'late' }), true);
    follow(replica);
    await settle();
    assert.deepEqual(sent.slice(1), ['unsubscribe 1', 'subscribe 2 pool/p/services 0']);
    assert.deepEqual(ended, [], 'nobody hears of what was ended here');
  });

  it('that nobody asked for are a fault of the session', () => {
    const { mux, replicaOf, follow } = open();
    follow(replicaOf('pool/p/services'));
    for (const scope of [0, 2, 99])
      assert.throws(() => mux.onDelta({ scope, sequence: 1, body: IN_SYNC }), {
        code: 'ERR_TUNNEL_BAD_FRAME',
      });
  });

  it('end alone by the word of the peer', async () => {
    const { mux, sent, ended, replicaOf, follow } = open();
    const [services, slices] = [replicaOf('pool/p/services'), replicaOf('pool/p/slices')];
    follow(services);
    follow(slices);
    await settle();
    const message = 'edge-2 leads '.repeat(100);
    assert.equal(mux.onError({ scope: 1, code: 'ERR_CLOUDCORE_NOT_LEADER', message }), true);
    assert.deepEqual(ended, [`pool/p/services: ERR_CLOUDCORE_NOT_LEADER: ${message.slice(0, 512)}`]);
    assert.deepEqual(sent.slice(2), ['unsubscribe 1']);
    assert.deepEqual([services.state.connected, slices.state.connected, mux.size], [false, true, 1]);
    assert.equal(mux.onError({ scope: 0, code: 'X', message: '' }), false, 'about no scope');
    assert.equal(mux.onError({ scope: 9, code: 'X', message: '' }), false, 'about none of this side');
  });

  it('end alone by what is wrong with what comes, at once or later', async () => {
    const { mux, sent, ended, replicaOf, follow } = open();
    const checks = {
      stamp: () => {
        throw new SyncError('ERR_SYNC_FORGED', 'not signed');
      },
      synced: () => {},
    };
    follow(replicaOf('pool/p/a'));
    follow(replicaOf('pool/p/b'));
    follow(replicaOf('pool/p/c', checks));
    const last = replicaOf('pool/p/d');
    follow(last);
    await settle();
    mux.onDelta({ scope: 1, sequence: 2, body: IN_SYNC });
    mux.onDelta({ scope: 2, sequence: 1, body: Uint8Array.of(255) });
    mux.onDelta({ scope: 3, sequence: 1, body: IN_SYNC });
    await settle();
    assert.deepEqual(
      ended.map((text) => text.split(': ').slice(0, 2).join(': ')),
      ['pool/p/a: ERR_SYNC_BAD_SEQUENCE', 'pool/p/b: ERR_SYNC_BAD_MESSAGE', 'pool/p/c: ERR_SYNC_FORGED'],
    );
    assert.deepEqual(sent.slice(4), ['unsubscribe 1', 'unsubscribe 2', 'unsubscribe 3']);
    mux.onDelta({ scope: 4, sequence: 1, body: IN_SYNC });
    await settle();
    assert.equal(last.state.synced, true, 'the others go on');
  });

  it('but that of the node itself end the session', async () => {
    const { mux, replicaOf } = open();
    const failures: Error[] = [];
    mux.open(replicaOf('node/edge-1'), { onFailed: (error) => failures.push(error) });
    await settle();
    assert.equal(mux.onError({ scope: 1, code: 'ERR_CLOUDCORE_FORBIDDEN', message: 'no' }), false);
    mux.onDelta({ scope: 1, sequence: 5, body: IN_SYNC });
    mux.onDelta({ scope: 1, sequence: 6, body: IN_SYNC });
    assert.deepEqual(
      failures.map((error) => (error as { code?: string }).code),
      ['ERR_SYNC_BAD_SEQUENCE'],
    );
  });

  it('end with the session, each told once', async () => {
    const { mux, sent, ended, replicaOf, follow } = open();
    const replica = replicaOf('pool/p/services');
    follow(replica);
    const gone = follow(replicaOf('pool/p/slices'));
    await settle();
    gone?.end();
    const before = sent.length;
    mux.end('ERR_TUNNEL_CONNECTION_LOST', 'the line broke');
    mux.end('ERR_TUNNEL_CLOSED', 'again');
    assert.deepEqual(ended, ['pool/p/services: ERR_TUNNEL_CONNECTION_LOST: the line broke']);
    assert.equal(replica.state.connected, false);
    assert.equal(sent.length, before, 'nothing is said to nobody');
    assert.equal(follow(replica), undefined);
    assert.equal(mux.open(replica, { onFailed: () => {} }), undefined);
  });

  it('that cannot be subscribed to end with why', async () => {
    const { failing, ended, mux, replicaOf, follow } = open();
    failing.send = Object.assign(new Error('gone'), { code: 'ERR_TUNNEL_CLOSED' });
    follow(replicaOf('pool/p/services'));
    await settle();
    assert.deepEqual(ended, ['pool/p/services: ERR_TUNNEL_CLOSED: gone']);
    assert.equal(mux.size, 0);
  });

  it('whose replica is followed elsewhere are given up with the next that comes', async () => {
    const { mux, sent, ended, replicaOf, follow } = open();
    const replica = replicaOf('pool/p/services');
    follow(replica);
    await settle();
    replica.open({ scopeId: 1, send: () => Promise.resolve(), onFailed: () => {} });
    mux.onDelta({ scope: 1, sequence: 1, body: IN_SYNC });
    assert.equal(ended.length, 1);
    assert.match(ended[0] ?? '', /ERR_SYNC_SESSION_ENDED/);
    assert.deepEqual(sent.slice(1), ['unsubscribe 1']);
  });

  it('may be followed anew as soon as they have ended', async () => {
    const { mux, sent, replicaOf } = open();
    const replica = replicaOf('pool/p/services');
    const again = (): void => {
      mux.follow(replica, { epoch: 2, direct: false, onEnded: () => {} });
    };
    mux.follow(replica, { epoch: 1, direct: false, onEnded: again });
    await settle();
    mux.onError({ scope: 1, code: 'ERR_CLOUDCORE_FENCED', message: '' });
    await settle();
    assert.deepEqual(sent.slice(1), ['unsubscribe 1', 'subscribe 2 pool/p/services 2']);
    assert.equal(mux.size, 1);
  });
});
