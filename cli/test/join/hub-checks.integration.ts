import assert from 'node:assert/strict';
import { createHash, type X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { checkClock, checkCloud } from '../../src/join/hub-checks.ts';
import { probeHub } from '../../src/join/hub-probe.ts';
import type { CheckResult } from '../../src/join/check.ts';
import { startListener, startStandInHub, type Listener, type StandInHubOptions } from './stand-in-hub.ts';

const DAY_MS = 86_400_000;
const NEVER = new AbortController().signal;

describe('checks of the way to the hub', () => {
  let listener: Listener | undefined;
  afterEach(async () => {
    await listener?.stop();
    listener = undefined;
  });

  async function checked(port: number, pin = '0'.repeat(64), host = '127.0.0.1'): Promise<CheckResult> {
    return checkCloud({ host, port }, await probeHub({ host, port }, pin, NEVER));
  }

  it('find a hub with the authority of the token', async () => {
    const hub = await startStandInHub();
    listener = hub;
    const { result, found } = await checked(hub.port, pinOf(hub.authority));
    assert.equal(result, 'good', found);
  });

  it('tell another authority', async () => {
    listener = await startStandInHub();
    const { result, remedy } = await checked(listener.port);
    assert.equal(result, 'failed');
    assert.match(remedy ?? '', /another cluster/);
  });

  it('tell a name that has no address', async () => {
    const { result, found, remedy } = await checked(10_000, undefined, 'no-such-host.invalid');
    assert.equal(result, 'failed');
    assert.match(found, /no-such-host\.invalid cannot be resolved/);
    assert.match(remedy ?? '', /DNS/);
  });

  it('tell a port on which nobody listens', async () => {
    const gone = await startListener(() => {});
    const { port } = gone;
    await gone.stop();
    const { result, found, remedy } = await checked(port);
    assert.equal(result, 'failed');
    assert.match(found, /does not take connections.*ECONNREFUSED/);
    assert.match(remedy ?? '', /Start the hub/);
  });

  it('tell what does not speak TLS: one that talks, and one that closes', async () => {
    for (const act of [
      (socket: Socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
      (socket: Socket) => socket.destroy(),
    ]) {
      listener = await startListener((socket) => void act(socket));
      const { result, found } = await checked(listener.port);
      assert.equal(result, 'failed');
      assert.match(found, /does not speak TLS/);
      await listener.stop();
    }
  });

  it('tell a server that is no hub', async () => {
    listener = await startStandInHub({ status: 403 });
    const { result, found } = await checked(listener.port);
    assert.equal(result, 'failed');
    assert.match(found, /is no hub: it answers 403/);
  });

  it('give up on what does not answer when the caller does', async () => {
    listener = await startListener(() => {});
    const ending = new AbortController();
    const reason = new Error('enough');
    const probe = probeHub({ host: '127.0.0.1', port: listener.port }, '', ending.signal);
    ending.abort(reason);
    await assert.rejects(probe, reason);
  });

  describe('the clock', () => {
    async function clock(options: StandInHubOptions, nowMs = Date.now()): Promise<CheckResult | undefined> {
      const hub = await startStandInHub(options);
      listener = hub;
      return checkClock(
        await probeHub({ host: '127.0.0.1', port: hub.port }, pinOf(hub.authority), NEVER),
        nowMs,
      );
    }

    it('is good when it is that of the hub', async () => {
      assert.equal((await clock({}))?.result, 'good');
    });

    it('is a warning when it is behind or ahead', async () => {
      const behind = await clock({ clockAheadMs: 3 * 3_600_000 });
      assert.equal(behind?.result, 'warning');
      assert.match(behind.found, /(3 h|2 h 59 min) behind/);
      await listener?.stop();
      const ahead = await clock({ clockAheadMs: -600_000 });
      assert.match(ahead?.found ?? '', /10 min ahead/);
      assert.match(ahead?.remedy ?? '', /timedatectl/);
    });

    it('is a failure when certificates look over by it, because it is ahead or because they are', async () => {
      const ahead = await clock({}, Date.now() + 400 * DAY_MS);
      assert.equal(ahead?.result, 'failed');
      assert.match(ahead.remedy ?? '', /timedatectl/);
      await listener?.stop();
      const over = await clock({ certificate: { notAfter: new Date(Date.now() - 1000) } });
      assert.equal(over?.result, 'failed');
      assert.match(over.found, /certificate of the hub has ended/);
      assert.match(over.remedy ?? '', /look at the hub/);
    });

    it('is not spoken of where there was no answer', () => {
      assert.equal(checkClock({ addresses: [] }, Date.now()), undefined);
    });
  });
});

function pinOf(certificate: X509Certificate): string {
  return createHash('sha256').update(certificate.raw).digest('hex');
}
