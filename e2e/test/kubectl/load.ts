import assert from 'node:assert/strict';
import { createCipheriv, createHash, randomBytes, type Hash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { scaled, within } from '@hawser/seams/testing';
import { apiExec, apiLog, type ApiExec } from './api-streams.ts';
import { LONG_LOG_LINES, type KubectlSite } from './kubectl-site.ts';
import { watched } from './watched.ts';

const MIB = 1024 * 1024;
const SIZE_MIB = scaled(16, 100);
const COUNT = 25;
/** Of each command that is read. */
const READ_BYTES = scaled(MIB / 2, 4 * MIB);
/** A window of 256 KiB and some buffers for each of them, and what the collector leaves for later. */
const MOST_MIB = { hub: 96, edge: 64 };
const MOST_ROUND_TRIP_MS = 1000;

/** Many bytes, many at a time, and clients that do not read. */
export function describeLoad(of: () => KubectlSite): void {
  it(`carries ${SIZE_MIB} MiB each way at the same time, to the byte`, async () => {
    const site = of();
    const { kubectl } = site;
    const [up = kubectl, down = kubectl] = site.kubectls;
    const file = `dd if=/dev/urandom of=/tmp/down bs=1M count=${SIZE_MIB} 2>/dev/null; sha256sum /tmp/down`;
    const wanted = (await kubectl.ok(['exec', 'web', '--', 'sh', '-c', file])).split(' ')[0];
    const seen = await watched(site, async () => {
      const sent = createHash('sha256');
      const received = createHash('sha256');
      const child = down.start(['exec', 'web', '--', 'cat', '/tmp/down']);
      if (child.stdout === null) throw new TypeError('it is a pipe');
      const [said] = await Promise.all([
        up.ok(['exec', '-i', 'web', '--', 'sha256sum'], { input: noise(SIZE_MIB, sent), deadlineMs: 90_000 }),
        pipeline(child.stdout, received),
      ]);
      assert.equal(said.split(' ')[0], sent.digest('hex'));
      assert.equal(received.digest('hex'), wanted);
    });
    report('bytes each way', seen);
    assert.ok(seen.isSameSession);
    assert.ok(seen.roundTripMs < MOST_ROUND_TRIP_MS, `${seen.roundTripMs} ms`);
    assert.ok(seen.hubMib < MOST_MIB.hub && seen.edgeMib < MOST_MIB.edge, JSON.stringify(seen));
    await site.untilQuiet();
  }).timeout(180_000);

  it(`serves ${COUNT} that read beside ${COUNT} that do not`, async () => {
    const site = of();
    const { config, kubectl } = site;
    const unread: ApiExec[] = [];
    const seen = await watched(site, async () => {
      await Promise.all(
        Array.from({ length: COUNT }, async () => {
          const exec = await apiExec(config, 'web', ['cat', '/dev/zero']);
          exec.socket.pause();
          unread.push(exec);
        }),
      );
      await within(
        'those that read',
        Promise.all(Array.from({ length: COUNT }, (_, index) => read(site, index))),
        60_000,
      );
      assert.equal(await site.site.cluster.hubMetric('hawser_kubelet_open_requests'), COUNT);
      assert.equal(await kubectl.ok(['logs', 'pair', '-c', 'b']), 'from b\n');
    });
    report(`${COUNT} unread`, seen);
    assert.ok(seen.isSameSession);
    assert.ok(seen.roundTripMs < MOST_ROUND_TRIP_MS, `${seen.roundTripMs} ms`);
    assert.ok(seen.hubMib < MOST_MIB.hub && seen.edgeMib < MOST_MIB.edge, JSON.stringify(seen));
    for (const { socket } of unread) socket.terminate();
    await site.untilQuiet();
  }).timeout(180_000);
}

/** One command or log, read to its end. */
async function read({ config }: KubectlSite, index: number): Promise<void> {
  if (index % 2 === 0) {
    const { closed, received } = await apiExec(config, 'web', [
      'head',
      '-c',
      String(READ_BYTES),
      '/dev/zero',
    ]);
    await closed;
    assert.equal(received(), READ_BYTES);
    return;
  }
  let text = '';
  for await (const chunk of await apiLog(config, 'long-log')) text += String(chunk);
  const lines = text.trimEnd().split('\n');
  assert.equal(lines.length, LONG_LOG_LINES);
  assert.ok(lines.every((line, at) => line.startsWith(`${at + 1} `)));
}

/** Bytes that no compression makes fewer. */
function noise(mib: number, hash: Hash): Readable {
  const cipher = createCipheriv('aes-128-ctr', randomBytes(16), randomBytes(16));
  const zeros = Buffer.alloc(64 * 1024);
  return Readable.from(
    (function* () {
      for (let sent = 0; sent < mib * MIB; sent += zeros.length) {
        const bytes = cipher.update(zeros);
        hash.update(bytes);
        yield bytes;
      }
    })(),
    { objectMode: false },
  );
}

function report(what: string, seen: object): void {
  process.stdout.write(`      ${what}: ${JSON.stringify(seen)}\n`);
}
