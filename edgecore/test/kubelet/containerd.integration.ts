import assert from 'node:assert/strict';
import { request } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { StreamDuplex } from '@hawser/proto';
import { streamPair } from '@hawser/proto/testing';
import { eventually, within } from '@hawser/seams/testing';
import WebSocket from 'ws';
import { ContainerdKubelet, openContainerdSite, type ContainerdSite } from '../../testing/index.ts';
import { AdminClient } from '../../src/admin/admin-client.ts';

/** Channels of v4.channel.k8s.io. */
const STDIN = 0;
const CHATTY = 'i=0; while true; do i=$((i+1)); echo "line $i"; sleep 1 & wait $!; done';

describe('kubelet API with containerd', function () {
  this.timeout(30_000);
  let site: ContainerdSite | undefined;
  let kubelet: ContainerdKubelet;
  before(async function () {
    site = await openContainerdSite(this);
    kubelet = await ContainerdKubelet.open(site);
  });
  afterEach(() => kubelet.clear());
  after(async () => {
    if (site === undefined) return; // skipped
    await kubelet.close();
    await site.close();
  });

  const throughSocket = (): Duplex => connect({ path: kubelet.socket });

  /** Where a request may go in: through a stream of the tunnel, or the admin socket. */
  const ways: readonly (readonly [name: string, dial: () => Duplex])[] = [
    [
      'the tunnel',
      () => {
        const { near, far } = streamPair();
        kubelet.server.accept(far);
        return new StreamDuplex(near);
      },
    ],
    ['the admin socket', throughSocket],
  ];

  /** A WebSocket to the kubelet API; ws takes a Duplex where it would dial, as Node's client does. */
  function webSocket(dial: () => Duplex, path: string): WebSocket {
    const createConnection = dial as unknown as typeof connect;
    return new WebSocket(`ws://edge${path}`, ['v4.channel.k8s.io'], { createConnection });
  }

  for (const [name, dial] of ways) {
    describe(`through ${name}`, () => {
      it('runs a command over WebSocket v4, with input, outputs and exit code', async () => {
        await kubelet.run('web');
        const command = ['sh', '-c', 'read line; echo "got $line"; echo oops >&2; exit 4'];
        const query = new URLSearchParams(command.map((word): [string, string] => ['command', word]));
        const socket = webSocket(dial, `/exec/default/web/main?${query.toString()}&input=1&output=1&error=1`);
        const said: Record<number, string> = {};
        socket.on('message', (data: Buffer) => {
          const channel = data.readUInt8(0);
          said[channel] = (said[channel] ?? '') + data.subarray(1).toString();
        });
        socket.on('open', () => socket.send(Buffer.concat([Buffer.from([STDIN]), Buffer.from('this\n')])));
        await within('its end', new Promise((resolve) => socket.on('close', resolve)), 10_000);
        assert.equal(socket.protocol, 'v4.channel.k8s.io');
        const [, stdout, stderr, error] = [0, 1, 2, 3].map((channel) => said[channel] ?? '');
        assert.equal(stdout, 'got this\n');
        assert.equal(stderr, 'oops\n');
        const status = JSON.parse(error ?? '') as {
          reason: string;
          details: { causes: object[] };
        };
        assert.equal(status.reason, 'NonZeroExitCode');
        assert.deepEqual(status.details.causes, [{ reason: 'ExitCode', message: '4' }]);
      });

      it('attaches to a container', async () => {
        await kubelet.run('web', { args: [CHATTY] });
        const socket = webSocket(dial, '/attach/default/web/main?output=1&error=1');
        let said = '';
        socket.on('message', (data: Buffer) => (said += data.subarray(1).toString()));
        await eventually('a line', () => /line \d+\n/.test(said), { deadlineMs: 10_000 });
        const closed = new Promise((resolve) => socket.on('close', resolve));
        socket.close();
        await within('its end', closed);
      });

      it('forwards a port', async () => {
        await kubelet.run('web', {
          args: ['mkdir -p /tmp/www; echo a page > /tmp/www/p; exec httpd -f -p 8080 -h /tmp/www'],
        });
        let answer = '';
        await eventually(
          'the page',
          async () => {
            answer = await forwarded(webSocket(dial, '/portForward/default/web?port=8080'), 8080);
            return answer.includes('a page');
          },
          { deadlineMs: 10_000, intervalMs: 100 },
        );
        assert.match(answer, /^HTTP\/1\.[01] 200 OK/);
      });

      it('gives the log of a container, also of the one before', async () => {
        await kubelet.run('web', { args: ['echo first; exit 1'] });
        await eventually(
          'the log',
          async () => (await get(dial, '/containerLogs/default/web/main')).text === 'first\n',
        );
        await kubelet.start('web', 1, { args: ['echo second; sleep 3600'] });
        await eventually(
          'the log',
          async () => (await get(dial, '/containerLogs/default/web/main')).text === 'second\n',
        );
        const previous = await get(dial, '/containerLogs/default/web/main?previous=true');
        assert.equal(previous.text, 'first\n');
      });
    });
  }

  it('follows a log to the end of its container, and the next one anew', async () => {
    await kubelet.run('web', { args: [`trap "echo bye; exit 0" TERM; ${CHATTY}`] });
    const client = new AdminClient({ socket: kubelet.socket });
    const first = text(await client.stream('/containerLogs/default/web/main?follow=true'));
    await kubelet.end('web');
    assert.match(await within('the end of the first', first, 10_000), /^line 1\n(line \d+\n)*bye\n$/);
    await kubelet.start('web', 1, { args: ['echo again; sleep 3600'] });
    const second = await client.stream('/containerLogs/default/web/main?follow=true');
    let said = '';
    second.on('data', (chunk: Buffer) => (said += chunk.toString())).on('error', () => {});
    await eventually('the second', () => said === 'again\n', { deadlineMs: 10_000 });
    second.destroy();
    await eventually('nothing open', () => kubelet.api.streams === 0);
  });

  it('tells what containers use', async () => {
    await kubelet.run('web', { args: ['while true; do :; done'] });
    const dial = throughSocket;
    await eventually(
      'some use',
      async () => {
        const { text } = await get(dial, '/stats/summary');
        const { pods } = JSON.parse(text) as {
          pods: { cpu: { usageNanoCores?: number }; memory: { workingSetBytes: number } }[];
        };
        return (
          (pods[0]?.cpu.usageNanoCores ?? 0) > 50_000_000 && (pods[0]?.memory.workingSetBytes ?? 0) > 4096
        );
      },
      { deadlineMs: 20_000, intervalMs: 500 },
    );
    const { text } = await get(dial, '/metrics/resource');
    assert.match(
      text,
      /^container_cpu_usage_seconds_total\{container="main",namespace="default",pod="web"\} [\d.]+ \d{13}$/m,
    );
    assert.match(text, /^resource_scrape_error 0$/m);
  });

  it('lists pods on the admin socket', async () => {
    await kubelet.run('web');
    const client = new AdminClient({ socket: kubelet.socket });
    const [row] = (await client.pods()).items;
    assert.deepEqual([row?.name, row?.state, row?.ready, row?.containers], ['web', 'Running', 1, 1]);
    assert.match(row?.ip ?? '', /^10\./);
    const view = await client.pod('default', 'web');
    assert.equal(view.pod.metadata.uid, 'uid-web');
    await assert.rejects(client.pod('default', 'x'), /404: pod "x" in namespace "default" not found/);
  });

  async function get(dial: () => Duplex, path: string): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const asked = request({ path, createConnection: dial }, (answer) => {
        text(answer).then((body) => resolve({ status: answer.statusCode ?? 0, text: body }), reject);
      });
      asked.on('error', reject);
      asked.end();
    });
  }
});

/** Asks for a page over a forwarded port. Each channel begins with the port, which is checked. */
async function forwarded(socket: WebSocket, port: number): Promise<string> {
  let data = '';
  let failure = '';
  const portOf = [false, false];
  socket.on('message', (message: Buffer) => {
    const channel = message[0] ?? 0;
    if (portOf[channel] !== true) {
      assert.equal(message.readUInt16LE(1), port);
      portOf[channel] = true;
      if (channel === 0)
        socket.send(Buffer.concat([Buffer.from([0]), Buffer.from('GET /p HTTP/1.0\r\n\r\n')]));
    } else if (channel === 0) data += message.subarray(1).toString();
    else failure += message.subarray(1).toString();
  });
  socket.on('error', (error) => (failure += error.message));
  const closed = new Promise((resolve) => socket.on('close', resolve));
  await eventually(
    'an answer',
    () =>
      data.includes('a page') ||
      data.includes('404') ||
      failure !== '' ||
      socket.readyState === WebSocket.CLOSED,
  );
  socket.close();
  await closed;
  return data;
}
