import assert from 'node:assert/strict';
import { delay } from '@hawser/seams';
import { eventually, within } from '@hawser/seams/testing';
import { TunnelError, TunnelMetrics, type Frame, type SessionFrame, type Tunnel } from '../src/index.ts';
import { encodeFrame } from '../src/codec/codec.ts';
import { sayHello } from '../src/session/handshake.ts';
import { frameMessage, MessageStream } from '../src/stream/message-stream.ts';
import {
  drain,
  quicUnderTest,
  rejectsWith,
  SessionSite,
  webTransportUnderTest,
  wsUnderTest,
} from '../testing/index.ts';

for (const underTest of [wsUnderTest, quicUnderTest, webTransportUnderTest]) {
  describe(`session over ${underTest.name}`, function () {
    this.timeout(30_000);
    let site: SessionSite;

    afterEach(() => site.close());

    describe('handshake', () => {
      it('tells each side who the other is, and what both can do', async () => {
        site = await SessionSite.open(underTest, {
          welcome: { features: ['delta', 'pool'], heartbeatMs: 7000 },
        });
        const { edge, hub } = await site.connect({
          features: ['delta', 'teleport'],
          heartbeatMs: 5000,
          clusterUid: 'cluster-1',
          resumeState: Buffer.from('what I have'),
        });
        assert.equal(hub.info.node, 'edge-1');
        assert.equal(hub.info.peerSoftware, 'edge/test');
        assert.equal(edge.info.peerSoftware, 'hub/test');
        assert.deepEqual([...edge.info.features], ['delta']);
        assert.deepEqual([...hub.info.features], ['delta']);
        assert.equal(edge.info.heartbeatMs, 5000);
        assert.equal(hub.info.heartbeatMs, 5000);
        assert.equal(edge.info.clusterUid, 'cluster-1');
        assert.equal(edge.info.incarnation, '1');
        assert.equal(edge.info.epoch, 1);
        assert.equal(edge.info.version, 1);
        assert.ok(Math.abs(edge.info.hubTimeMs - Date.now()) < 5000);
        assert.equal(Buffer.from(hub.info.peerResumeState).toString(), 'what I have');
      });

      it('keeps heartbeats within the permitted range', async () => {
        site = await SessionSite.open(underTest);
        const { edge } = await site.connect({ heartbeatMs: 1 });
        assert.equal(edge.info.heartbeatMs, 2000);
      });

      it('is refused when the edge requires what the hub lacks', async () => {
        site = await SessionSite.open(underTest);
        await refused(site, { requiredFeatures: ['delta', 'teleport'] }, /ERR_TUNNEL_INCOMPATIBLE.*teleport/);
      });

      it('is refused when the hello names another node than the certificate', async () => {
        site = await SessionSite.open(underTest);
        const transport = await site.edgeTransport('edge-1');
        const routes = [{ transport, hub: { host: '127.0.0.1', port: site.port } }];
        // Over quic the close may overtake the refusal, and says the same.
        const told = /ERR_TUNNEL_(CERT_NAME|REJECTED).*edge-1.*edge-2/;
        await refused(site, { node: 'edge-2' }, told, { routes });
      });

      it('is refused when policy says so, with the time to stay away', async () => {
        site = await SessionSite.open(underTest, {
          server: {
            authorize: (hello) =>
              Promise.resolve({
                code: 'unauthorized',
                message: `${hello.node} is cordoned`,
                retryAfterMs: 4321,
              }),
          },
        });
        const waits: number[] = [];
        await refused(site, {}, /ERR_TUNNEL_REJECTED.*edge-1 is cordoned/, {
          onDown: (_error, waitMs) => waits.push(waitMs),
        });
        assert.ok(
          waits.every((waitMs) => waitMs >= 4321),
          String(waits),
        );
      });

      it('is refused when no protocol version is shared', async () => {
        site = await SessionSite.open(underTest);
        const hello = { minVersion: 2, maxVersion: 9, purpose: 1, node: 'edge-1' };
        const answer = await rawHello(hello).catch((error: unknown) => error as TunnelError);
        assert.ok(answer !== undefined);
        if (answer instanceof TunnelError) {
          // The end of the connection says the same, and may be faster where streams have no common order.
          assert.match(answer.message, /incompatible.*1 to 1.*2 to 9/);
          return;
        }
        assert.ok(answer.body === 'reject');
        assert.equal(answer.reject.error, 'ERR_TUNNEL_INCOMPATIBLE');
        assert.match(answer.reject.message, /1 to 1.*2 to 9/);
      });

      it('ends when the hello does not come in time, and frees the place', async () => {
        site = await SessionSite.open(underTest, { limits: { handshakeTimeoutMs: 300 } });
        const connection = await (await site.edgeTransport()).dial({ host: '127.0.0.1', port: site.port });
        assert.ok(
          ['handshake-timeout', 'connection-lost'].includes(
            (await within('the end', connection.closed)).code,
          ),
        );
        await eventually('the place', () => site.server.gate.connections === 0);
      });

      it('ends when something else comes first', async () => {
        site = await SessionSite.open(underTest);
        const connection = await (await site.edgeTransport()).dial({ host: '127.0.0.1', port: site.port });
        connection
          .openStream('logs')
          .then((stream) => stream.write(Buffer.from('x')))
          .catch(() => {}); // the hub may be faster
        const reason = await within('the end', connection.closed);
        assert.equal(reason.code, 'protocol-error');
        assert.match(reason.message, /session was due/);
      });

      it('refuses a hello that is too large', async () => {
        site = await SessionSite.open(underTest, { limits: { maxHandshakeFrameBytes: 1000 } });
        const connection = await (await site.edgeTransport()).dial({ host: '127.0.0.1', port: site.port });
        const stream = await connection.openStream('session');
        await stream.write(frameMessage(Buffer.alloc(2000)));
        assert.match((await within('the end', connection.closed)).message, /2000 bytes/);
      });
    });

    describe('frames', () => {
      it('travel both ways in order, of every size up to the limit', async () => {
        site = await SessionSite.open(underTest);
        const up: number[] = [];
        const down: number[] = [];
        site.onHubFrame = (frame) => {
          if (frame.body === 'upstream') up.push(frame.upstream.body.length);
        };
        const onTunnel = () => (frame: SessionFrame) => {
          if (frame.body === 'delta') down.push(frame.delta.body.length);
        };
        const { edge, hub } = await site.connect({}, { onTunnel });
        const sizes = [0, 1, 127, 128, 16_383, 16_384, 70_000, 1_000_000, 4_194_000];
        for (const [i, size] of sizes.entries()) {
          await edge.send({ upstream: { sequence: i, kind: 'test', body: Buffer.alloc(size) } });
          await hub.send({ delta: { scope: 1, sequence: i, body: Buffer.alloc(size) } });
        }
        await eventually('all frames', () => up.length === sizes.length && down.length === sizes.length, {
          deadlineMs: 15_000,
        });
        assert.deepEqual(up, sizes);
        assert.deepEqual(down, sizes);
      });

      it('of delta sync all come to the user', async () => {
        site = await SessionSite.open(underTest);
        const seen: SessionFrame[] = [];
        site.onHubFrame = (frame) => void seen.push(frame);
        const { edge, hub } = await site.connect({}, { onTunnel: () => (frame) => void seen.push(frame) });
        await edge.send({ scopeReport: { scope: 3, body: Buffer.from('report') } });
        await eventually('the report', () => seen.length === 1);
        await hub.send({ reportRequest: { kinds: ['node', 'pod'] } });
        await hub.send({ upstreamAck: { sequence: 1, body: Buffer.from('answer') } });
        await eventually('what the hub said', () => seen.length === 3);
        const [report, request, answer] = seen;
        assert.ok(report?.body === 'scopeReport' && report.scopeReport.scope === 3);
        assert.equal(Buffer.from(report.scopeReport.body).toString(), 'report');
        assert.ok(request?.body === 'reportRequest');
        assert.deepEqual(request.reportRequest.kinds, ['node', 'pod']);
        assert.ok(answer?.body === 'upstreamAck');
        assert.equal(Buffer.from(answer.upstreamAck.body).toString(), 'answer');
      });

      it('that are too large are refused before they are sent', async () => {
        site = await SessionSite.open(underTest, { limits: { maxFrameBytes: 10_000 } });
        const { edge } = await site.connect();
        const body = Buffer.alloc(20_000);
        await rejectsWith(edge.send({ upstream: { sequence: 1, kind: 'x', body } }), 'ERR_TUNNEL_LIMIT');
        assert.equal(site.server.sessions.size, 1, 'the session goes on');
      });

      it('wait while the handler of the one before is busy, and heartbeats do not', async () => {
        site = await SessionSite.open(underTest);
        let handled = 0;
        let release: () => void = () => {};
        const held = new Promise<void>((resolve) => (release = resolve));
        site.onHubFrame = async () => {
          if (handled++ === 0) await held;
        };
        const { edge } = await site.connect({ heartbeatMs: 2000 });
        for (let i = 0; i < 10; i++) await edge.send({ deltaAck: { scope: 1, sequence: i } });
        await delay(6500); // over three heartbeats
        assert.equal(handled, 1);
        assert.equal(site.server.sessions.size, 1, 'the session lives');
        assert.ok(edge.roundTripMs !== undefined && edge.roundTripMs > 0);
        release();
        await eventually('the rest', () => handled === 10);
      });

      it('that nobody knows are passed over if ignorable, and end the session if not', async () => {
        site = await SessionSite.open(underTest);
        const seen: string[] = [];
        site.onHubFrame = (frame) => void seen.push(frame.body);
        const { stream, connection } = await rawSession();
        const unknownBody = Buffer.from([0xa2, 0x06, 0x01, 0x00]); // field 100
        await stream.write(frameMessage(Buffer.concat([unknownBody, Buffer.from([0x78, 0x01])])));
        await stream.write(frameMessage(encodeFrame({ unsubscribe: { scope: 1 } })));
        await eventually('the frame behind it', () => seen.length === 1);
        stream.write(frameMessage(unknownBody)).catch(() => {}); // the hub may be faster
        const reason = await within('the end', connection.closed);
        assert.equal(reason.code, 'protocol-error');
        assert.match(reason.message, /ERR_TUNNEL_UNKNOWN_FRAME/);
      });

      it('that break the protocol end their session and no other', async () => {
        site = await SessionSite.open(underTest);
        const good = await site.connect({ node: 'edge-2' });
        const { stream, connection } = await rawSession();
        stream.write(frameMessage(Buffer.from([0xff, 0xff, 0xff]))).catch(() => {}); // the hub may be faster
        const reason = await within('the end', connection.closed);
        assert.equal(reason.code, 'protocol-error');
        assert.match(reason.message, /ERR_TUNNEL_BAD_FRAME/);
        await good.edge.send({ unsubscribe: { scope: 9 } });
        assert.equal(site.server.sessions.get('edge-2')?.info.id, good.edge.info.id);
      });

      it('whose handler fails end the session', async () => {
        site = await SessionSite.open(underTest);
        site.onHubFrame = () => Promise.reject(new Error('cannot digest this'));
        const { edge } = await site.connect();
        await edge.send({ unsubscribe: { scope: 1 } });
        const reason = await within('the end', edge.closed);
        assert.equal(reason.code, 'internal');
        assert.match(reason.message, /cannot digest/);
      });
    });

    describe('fencing', () => {
      it('gives a node one session: the newer one ends the older', async () => {
        site = await SessionSite.open(underTest);
        const first = await site.connect();
        const second = await site.connect();
        assert.ok(second.edge.info.epoch > first.edge.info.epoch);
        const reason = await within('the end of the first', first.edge.closed);
        assert.equal(reason.code, 'replaced');
        assert.equal(site.server.sessions.get('edge-1')?.info.id, second.edge.info.id);
        // The older one stays away for a while instead of taking the session back at once.
        await eventually('it waits', () => first.client.state === 'waiting');
        assert.equal(second.client.state, 'connected');
      });

      it('goes above the highest epoch that the edge has seen', async () => {
        site = await SessionSite.open(underTest);
        const { edge } = await site.connect({ lastEpoch: 41 });
        assert.equal(edge.info.epoch, 42);
      });

      it('leaves other nodes alone', async () => {
        site = await SessionSite.open(underTest);
        const nodes = ['edge-1', 'edge-2', 'edge-3'];
        const ends = await Promise.all(nodes.map((node) => site.connect({ node })));
        assert.equal(site.server.sessions.size, 3);
        await ends[0]?.client.stop();
        await eventually('one less', () => site.server.sessions.size === 2);
      });
    });

    describe('bulk', () => {
      for (const side of ['edge', 'hub'] as const) {
        it(`streams opened by the ${side} travel on a second connection, opened when first needed`, async () => {
          site = await SessionSite.open(underTest);
          const ends = await site.connect();
          const [near, far] = side === 'edge' ? [ends.edge, ends.hub] : [ends.hub, ends.edge];
          const control = await openPairOf(near, far, 'control');
          assert.equal(near.connections.length, 1);
          const bulk = await openPairOf(near, far, 'bulk');
          assert.equal(near.connections.length, 2);
          await control.near.write(Buffer.from('small'));
          await bulk.near.write(Buffer.alloc(1000));
          await bulk.near.end();
          assert.equal((await drain(bulk.far)).length, 1000);
          const second = await openPairOf(near, far, 'bulk');
          assert.equal(near.connections.length, 2, 'one bulk connection serves all');
          second.near.reset();
        });
      }

      it('several streams that need it at once share one connection', async () => {
        site = await SessionSite.open(underTest);
        const { edge, hub } = await site.connect();
        const opening = Array.from({ length: 10 }, () => hub.openStream('logs', { priority: 'bulk' }));
        const both = await Promise.all([...opening, edge.openStream('up', { priority: 'bulk' })]);
        assert.equal(both.length, 11);
        assert.equal(hub.connections.length, 2);
        await eventually('the edge too', () => edge.connections.length === 2);
      });

      it('is closed when idle, and opened again', async () => {
        site = await SessionSite.open(underTest, { limits: { bulkIdleMs: 200 } });
        const { edge, hub } = await site.connect();
        for (let round = 0; round < 2; round++) {
          const { near, far } = await openPairOf(hub, edge, 'bulk');
          await delay(500);
          assert.equal(edge.connections.length, 2, 'a stream keeps it open');
          await Promise.all([near.end(), far.end()]);
          await Promise.all([drain(near), drain(far)]);
          await eventually(
            'closed at both ends',
            () => edge.connections.length + hub.connections.length === 2,
          );
        }
        assert.ok((await within('the session', hub.openStream('still-there'))).id > 0);
      });

      it('dies with its session', async () => {
        site = await SessionSite.open(underTest);
        const { edge, hub } = await site.connect();
        const { near, far } = await openPairOf(edge, hub, 'bulk');
        hub.destroy({ code: 'internal', message: 'test' });
        await within('its streams', Promise.all([near.closed, far.closed]));
        await rejectsWith(
          edge.openStream('late', { priority: 'bulk' }),
          'ERR_TUNNEL_CONNECTION_LOST',
          'ERR_TUNNEL_CLOSED',
        );
        await eventually('no place is held', () => site.server.sessions.size <= 1);
      });

      it('that comes after the end of its session is closed', async () => {
        site = await SessionSite.open(underTest);
        for (const afterMs of [0, 2, 5, 10, 20]) {
          const { client, edge } = await site.connect();
          const opening = edge.openStream('late', { priority: 'bulk' }).then(
            (stream) => stream.closed,
            () => undefined,
          );
          await delay(afterMs);
          edge.destroy({ code: 'internal', message: 'test' });
          await within('the stream', opening);
          await client.stop();
          await eventually('no connection is left', () => site.server.gate.connections === 0);
        }
      });

      it('that is opened again takes the place of one that lingers', async () => {
        site = await SessionSite.open(underTest);
        const { edge, hub } = await site.connect();
        const old = await openPairOf(hub, edge, 'bulk');
        // As an edge does whose end of a bulk connection has died without a word to the hub.
        const transport = await site.edgeTransport();
        const connection = await transport.dial({ host: '127.0.0.1', port: site.port });
        const hello = { node: 'edge-1', software: 'edge/test' };
        await sayHello(connection, hello, { limits: site.limits, bulkOf: edge.info.id });
        const error = await within('the end of streams on the old one', old.near.closed);
        assert.equal(error instanceof TunnelError && error.code, 'ERR_TUNNEL_REPLACED');
        const accepting = connection.acceptStream();
        await hub.openStream('again', { priority: 'bulk' });
        assert.equal((await within('a stream on the new one', accepting))?.kind, 'again');
        await eventually('the old one is gone', () => hub.connections.length === 2);
        await openPairOf(edge, hub, 'control');
        await connection.close({ code: 'normal', message: 'done' });
      });

      it('that cannot be had fails clearly, and the session goes on', async () => {
        site = await SessionSite.open(underTest, { limits: { bulkOpenTimeoutMs: 300, maxConnections: 1 } });
        const { edge, hub } = await site.connect();
        const bulk = { priority: 'bulk' } as const;
        await rejectsWith(hub.openStream('logs', bulk), 'ERR_TUNNEL_BULK_UNAVAILABLE');
        await rejectsWith(edge.openStream('logs', bulk), 'ERR_TUNNEL_BULK_UNAVAILABLE');
        const reason = new Error('not any more');
        await assert.rejects(edge.openStream('x', { ...bulk, signal: AbortSignal.abort(reason) }), reason);
        await openPairOf(edge, hub, 'control');
      });
    });

    describe('stopping', () => {
      it('of the hub asks each edge to come back at a moment of its own', async () => {
        site = await SessionSite.open(underTest);
        const nodes = ['edge-1', 'edge-2', 'edge-3'];
        const ends = await Promise.all(nodes.map((node) => site.connect({ node })));
        await within('stop', site.server.stop());
        const reasons = await Promise.all(ends.map(({ edge }) => edge.closed));
        assert.deepEqual(
          reasons.map(({ code }) => code),
          ['going-away', 'going-away', 'going-away'],
        );
        assert.ok(new Set(reasons.map(({ retryAfterMs }) => retryAfterMs)).size > 1, 'not all at once');
        await site.server.stop();
      });

      it('of the edge is told to the hub, at any moment of the client', async () => {
        site = await SessionSite.open(underTest);
        const { client, hub } = await site.connect();
        await client.stop();
        assert.equal((await within('the hub', hub.closed)).code, 'normal');
        for (const afterMs of [0, 1, 2, 4, 8, 12, 16, 24]) {
          client.start();
          await delay(afterMs);
          await within('stop', client.stop());
          assert.equal(client.state, 'stopped');
        }
        client.start();
        await eventually('it can be started again', () => client.state === 'connected');
      });
    });

    it('is counted in the metrics', async () => {
      const metrics = new TunnelMetrics();
      site = await SessionSite.open(underTest, { server: { metrics } });
      const { client, edge } = await site.connect();
      await edge.send({ unsubscribe: { scope: 1 } });
      const text = await metrics.registry.metrics();
      assert.match(
        text,
        new RegExp(`hawser_tunnel_connections\\{transport="${underTest.name}",purpose="control"\\} 1`),
      );
      assert.match(text, /hawser_tunnel_bytes_total\{direction="received"\} [1-9]/);
      await client.stop();
      await eventually('closed', async () =>
        /hawser_tunnel_connections_closed_total\{[^}]*reason="normal"\} 1/.test(
          await metrics.registry.metrics(),
        ),
      );
    });

    async function rawHello(hello: object): Promise<Frame | undefined> {
      return (await rawSession(hello)).answer;
    }

    /** A session spoken by hand, to say what no client of ours would. */
    async function rawSession(hello: object = { minVersion: 1, maxVersion: 1, purpose: 1, node: 'edge-1' }) {
      const connection = await (await site.edgeTransport()).dial({ host: '127.0.0.1', port: site.port });
      const stream = await connection.openStream('session');
      await stream.write(frameMessage(encodeFrame({ hello })));
      const { decodeFrame } = await import('../src/codec/codec.ts');
      const message = await within('the answer', new MessageStream(stream, 1_000_000).receive());
      return { connection, stream, answer: message === undefined ? undefined : decodeFrame(message) };
    }
  });
}

/** Starts a client that the hub must refuse, and waits until it says why. */
async function refused(
  site: SessionSite,
  hello: Parameters<SessionSite['client']>[0],
  why: RegExp,
  options: Parameters<SessionSite['client']>[1] = {},
): Promise<void> {
  let seen: string | undefined;
  const client = await site.client(hello, {
    ...options,
    onDown: (error, waitMs) => {
      seen = `${'code' in error ? String(error.code) : ''}: ${error.message}`;
      options.onDown?.(error, waitMs);
    },
  });
  client.start();
  await eventually('a refusal', () => seen !== undefined);
  assert.match(seen ?? '', why);
  assert.equal(site.server.sessions.size, 0);
  await eventually('the place is free', () => site.server.gate.connections === 0);
}

async function openPairOf(near: Tunnel, far: Tunnel, priority: 'control' | 'bulk') {
  const accepting = far.acceptStream();
  const stream = await near.openStream('test', { priority });
  const accepted = await within('the stream at the other end', accepting);
  assert.ok(accepted);
  return { near: stream, far: accepted };
}
