import assert from 'node:assert/strict';
import type { OutgoingFrame, UpstreamAck } from '@hawser/proto';
import { FakeClock } from '@hawser/seams/testing';
import {
  packJson,
  unpackJson,
  UpstreamRefusedError,
  UpstreamRequests,
  UpstreamSession,
} from '../../src/index.ts';

const DONE: UpstreamAck = { sequence: 0, status: 0, message: '', retryAfterMs: 0, body: new Uint8Array(0) };

/** A session whose frames are kept. */
function recorded(): { session: UpstreamSession; frames: OutgoingFrame[]; broken: { is: boolean } } {
  const frames: OutgoingFrame[] = [];
  const broken = { is: false };
  const session = new UpstreamSession((frame) => {
    if (broken.is) return Promise.reject(new Error('the connection is over'));
    frames.push(frame);
    return Promise.resolve();
  });
  return { session, frames, broken };
}

describe('The Upstreams of a session', () => {
  it('are numbered from 1, and answered in any order', async () => {
    const { session, frames } = recorded();
    const answers: string[] = [];
    for (const kind of ['node', 'pod', 'event'] as const) {
      await session.post(kind, Uint8Array.of(1), ({ status }) => answers.push(`${kind} ${status}`));
    }
    assert.deepEqual(
      frames.map((frame) => ('upstream' in frame ? [frame.upstream.sequence, frame.upstream.kind] : [])),
      [
        [1, 'node'],
        [2, 'pod'],
        [3, 'event'],
      ],
    );
    session.onAck({ ...DONE, sequence: 3 });
    session.onAck({ ...DONE, sequence: 1, status: 500 });
    assert.deepEqual(answers, ['event 0', 'node 500']);
    assert.equal(session.underWay, 1);
  });

  it('are answered once, and only if they were sent', async () => {
    const { session } = recorded();
    await session.post('node', new Uint8Array(0), () => {});
    session.onAck({ ...DONE, sequence: 1 });
    for (const sequence of [1, 2, 0]) {
      assert.throws(() => session.onAck({ ...DONE, sequence }), { code: 'ERR_SYNC_BAD_ACK' });
    }
  });
});

describe('Requests to the hub', () => {
  const body = packJson({ ask: 1 });

  it('resolve with the answer', async () => {
    const { session } = recorded();
    const requests = new UpstreamRequests({ clock: new FakeClock() });
    requests.attach(session);
    const answer = requests.request('token-request', body);
    session.onAck({ ...DONE, sequence: 1, body: packJson({ token: 't' }) });
    assert.deepEqual(unpackJson(await answer), { token: 't' });
    assert.equal(requests.waiting, 0);
  });

  it('are refused with the status of the hub', async () => {
    const { session } = recorded();
    const requests = new UpstreamRequests({ clock: new FakeClock() });
    requests.attach(session);
    const answer = requests.request('token-request', body);
    session.onAck({ ...DONE, sequence: 1, status: 429, message: 'slow down', retryAfterMs: 700 });
    await assert.rejects(answer, (error: unknown) => {
      assert.ok(error instanceof UpstreamRefusedError);
      assert.deepEqual([error.code, error.status, error.retryAfterMs], ['ERR_SYNC_REFUSED', 429, 700]);
      assert.match(error.message, /token-request: 429 slow down/);
      return true;
    });
  });

  it('end with the session, and are not made without one', async () => {
    const { session } = recorded();
    const clock = new FakeClock();
    const requests = new UpstreamRequests({ clock });
    await assert.rejects(requests.request('token-request', body), { code: 'ERR_SYNC_SESSION_ENDED' });
    requests.attach(session);
    const answer = requests.request('token-request', body);
    requests.detach();
    await assert.rejects(answer, { code: 'ERR_SYNC_SESSION_ENDED' });
    // The answer of a session that has ended is for nobody.
    session.onAck({ ...DONE, sequence: 1 });
    assert.equal(clock.pendingTimers, 0);
    assert.equal(requests.waiting, 0);
  });

  it('end when they cannot be sent', async () => {
    const { session, broken } = recorded();
    broken.is = true;
    const requests = new UpstreamRequests({ clock: new FakeClock() });
    requests.attach(session);
    await assert.rejects(requests.request('token-request', body), { code: 'ERR_SYNC_SESSION_ENDED' });
  });

  it('end after their time', async () => {
    const { session } = recorded();
    const clock = new FakeClock();
    const requests = new UpstreamRequests({ clock, timeoutMs: 1_000 });
    requests.attach(session);
    const first = assert.rejects(requests.request('token-request', body), { code: 'ERR_SYNC_TIMEOUT' });
    const patient = requests.request('certificate-renewal', body, { timeoutMs: 5_000 });
    await clock.advance(1_000);
    await first;
    session.onAck({ ...DONE, sequence: 1 }); // too late
    session.onAck({ ...DONE, sequence: 2 });
    assert.equal((await patient).length, 0);
    assert.equal(clock.pendingTimers, 0);
  });

  it('end with their signal', async () => {
    const { session } = recorded();
    const clock = new FakeClock();
    const requests = new UpstreamRequests({ clock });
    requests.attach(session);
    const abort = new AbortController();
    const answer = requests.request('token-request', body, { signal: abort.signal });
    const reason = new Error('stopping');
    abort.abort(reason);
    await assert.rejects(answer, reason);
    await assert.rejects(requests.request('token-request', body, { signal: abort.signal }), reason);
    assert.equal(clock.pendingTimers, 0);
  });

  it('are bounded in number', async () => {
    const { session } = recorded();
    const requests = new UpstreamRequests({ clock: new FakeClock(), limit: 2 });
    requests.attach(session);
    const waiting = [requests.request('token-request', body), requests.request('token-request', body)];
    await assert.rejects(requests.request('token-request', body), { code: 'ERR_SYNC_LIMIT' });
    session.onAck({ ...DONE, sequence: 1 });
    await waiting[0];
    const next = requests.request('token-request', body);
    session.onAck({ ...DONE, sequence: 2 });
    session.onAck({ ...DONE, sequence: 3 });
    await Promise.all([...waiting, next]);
  });
});
