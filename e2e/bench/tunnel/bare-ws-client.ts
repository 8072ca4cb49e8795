import { once } from 'node:events';
import { WebSocket } from 'ws';
import { startNode, type SiteIdentities } from '../../src/index.ts';
import type { Bench } from '../../src/index.ts';

const PIECE = Buffer.alloc(64 * 1024, 1);

/** What is measured: a transfer, and a round trip. The tunnel and its rival both offer it. */
export interface Subject {
  /** Sends so many bytes and waits until the other side has them. @returns megabytes (10⁶) per second */
  transfer(bytes: number): Promise<number>;
  /** @returns milliseconds of one round trip of a small message */
  roundTrip(): Promise<number>;
}

/** Starts the rival: `ws` over mutual TLS, in a process of its own, with a client here. */
export async function bareWebSocket(bench: Bench, dir: string, identities: SiteIdentities): Promise<Subject> {
  const child = await startNode({ script: new URL('bare-ws-server.js', import.meta.url), args: [dir] });
  bench.onEnd(async () => {
    await child.stop();
  });
  const { port } = child.ready as { port: number };
  const credentials = await identities.edge('bare');
  const open = async (path: string): Promise<WebSocket> => {
    const socket = new WebSocket(`wss://127.0.0.1:${port}${path}`, {
      perMessageDeflate: false,
      key: credentials.privateKey.export({ format: 'pem', type: 'pkcs8' }),
      cert: credentials.certificate.toString(),
      ca: credentials.authorities.map((authority) => authority.toString()),
      minVersion: 'TLSv1.3',
    });
    bench.onEnd(() => socket.terminate());
    await once(socket, 'open');
    return socket;
  };
  const [counting, echoing] = [await open('/count'), await open('/echo')];
  const small = Buffer.alloc(64);
  return {
    async transfer(bytes) {
      const startedMs = performance.now();
      const answered = once(counting, 'message');
      for (let sent = 0; sent < bytes; sent += PIECE.length) await sendWithBackPressure(counting);
      counting.send('end');
      await answered;
      return bytes / 1000 / (performance.now() - startedMs);
    },
    async roundTrip() {
      const startedMs = performance.now();
      const answered = once(echoing, 'message');
      echoing.send(small);
      await answered;
      return performance.now() - startedMs;
    },
  };
}

/** At most four pieces wait in the socket: what a careful user of `ws` does by hand. */
async function sendWithBackPressure(socket: WebSocket): Promise<void> {
  if (socket.bufferedAmount < 4 * PIECE.length) {
    socket.send(PIECE);
    return;
  }
  await new Promise<void>((resolve) => socket.send(PIECE, () => resolve()));
}
