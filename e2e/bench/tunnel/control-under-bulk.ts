import { deferred } from '@hawser/seams';
import type { SessionFrame, Tunnel } from '@hawser/proto';
import { percentile, TunnelSite, type Bench, type TransportName } from '../../src/index.ts';
import { connectEdge } from './tunnel-subject.ts';

/** The narrow line of the figure: one bucket for control and bulk together. */
const LINE = { bitsPerSecond: 10e6, queueLimitBytes: 64 * 1024, delayMs: 25 };

/** How much longer a small frame takes while a bulk stream saturates the line. */
export async function measureControlUnderBulk(
  bench: Bench,
  transport: TransportName,
  samples: number,
): Promise<void> {
  const site = await TunnelSite.open({ link: LINE, hub: { transports: [transport] } });
  bench.onEnd(() => site.close());
  const acknowledged = new Map<number, () => void>();
  const onTunnel = (): ((frame: SessionFrame) => void) => (frame) => {
    if (frame.body === 'upstreamAck') acknowledged.get(frame.upstreamAck.sequence)?.();
  };
  const { edge, tunnel } = await connectEdge(bench, site, transport, { onTunnel });
  let sequence = 0;
  const roundTrip = async (): Promise<number> => {
    const answered = deferred();
    acknowledged.set(++sequence, answered.resolve);
    const startedMs = performance.now();
    await tunnel.send({ upstream: { sequence, kind: 'bench', body: Buffer.alloc(64) } });
    await answered.promise;
    acknowledged.delete(sequence);
    return performance.now() - startedMs;
  };
  const measure = async (): Promise<number[]> => {
    const times: number[] = [];
    for (let i = 0; i < samples; i++) times.push(await roundTrip());
    return times;
  };
  bench.say(`${transport}: ${samples} round trips on the idle line …`);
  const idle = await measure();
  bench.say(`${transport}: and while a bulk stream saturates it …`);
  const stopBulk = await saturate(tunnel);
  const busy = await measure();
  const bytes = await stopBulk();
  const [idleP99, busyP99] = [percentile(idle, 99), percentile(busy, 99)];
  bench.figure({
    figure: `control_p99_excess_${transport}_ms`,
    value: busyP99 - idleP99,
    unit: 'ms',
    n: samples,
    note: `p99 ${idleP99.toFixed(1)} ms idle, ${busyP99.toFixed(1)} ms beside ${(bytes / 1e6).toFixed(1)} MB of bulk`,
  });
  await edge.stop();
  await site.close();
}

async function saturate(tunnel: Tunnel): Promise<() => Promise<number>> {
  const source = await tunnel.openStream('source', { priority: 'bulk' });
  let bytes = 0;
  const reading = (async () => {
    for await (const chunk of source) bytes += chunk.length;
  })().catch(() => {}); // reset below
  return async () => {
    source.reset();
    await reading;
    return bytes;
  };
}
