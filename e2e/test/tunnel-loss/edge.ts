// An edge in a network namespace: connects, sends random bytes to be echoed on a bulk stream while small frames go
// to and fro, and tells its parent what came of it.
import { createHash, randomBytes } from 'node:crypto';
import { eventually } from '@hawser/seams/testing';
import { QuicTransport, TunnelClient, tunnelLimits, WsTransport } from '@hawser/proto';
import { announceReady, readIdentityFiles, sendToParent } from '../../src/index.ts';

/** What the edge found. */
export interface LossReport {
  readonly sessions: number;
  readonly sent: string;
  readonly received: string;
  readonly roundTrips: number;
}

const [identities = '', transportName = 'ws', host = '', port = '0', bytes = '0'] = process.argv.slice(2);
const limits = tunnelLimits();
const credentials = await readIdentityFiles(identities, 'edge-1');
const options = { credentials: () => credentials, limits };
const transport = transportName === 'ws' ? new WsTransport(options) : new QuicTransport(options);
let sessions = 0;
let acknowledged = 0;
const client = new TunnelClient({
  routes: [{ transport, hub: { host, port: Number(port) } }],
  hello: () => ({ node: 'edge-1', software: 'edge/loss', heartbeatMs: 2000 }),
  onTunnel: () => {
    sessions += 1;
    return (frame) => {
      if (frame.body === 'upstreamAck') acknowledged += 1;
    };
  },
});
announceReady();
client.start();
await eventually('a session', () => client.tunnel !== undefined, { deadlineMs: 20_000 });
const { tunnel } = client;
if (tunnel === undefined) throw new Error('connected, and no session');

const stream = await tunnel.openStream('echo', { priority: 'bulk' });
const data = randomBytes(Number(bytes));
const writing = stream.write(data).then(() => stream.end());
const hash = createHash('sha256');
for await (const chunk of stream) {
  hash.update(chunk);
  await tunnel.send({ upstream: { sequence: acknowledged + 1, kind: 'beside', body: Buffer.alloc(100) } });
}
await writing;
await eventually('the last acknowledgement', () => acknowledged > 0, { deadlineMs: 10_000 });
sendToParent({
  sessions,
  sent: createHash('sha256').update(data).digest('hex'),
  received: hash.digest('hex'),
  roundTrips: acknowledged,
} satisfies LossReport);
await client.stop();
await transport.close();
process.disconnect();
