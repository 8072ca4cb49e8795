import { createHash } from 'node:crypto';
import type { Stream, Tunnel } from '@hawser/proto';

const PIECE = Buffer.alloc(64 * 1024, 0x2e);

/** What a hub or an edge of a test does with the streams that the other side opens, by kind. */
const SERVICES: Readonly<Record<string, (stream: Stream) => Promise<void>>> = {
  /** Sends back what comes. */
  async echo(stream) {
    for await (const chunk of stream) await stream.write(chunk);
    await stream.end();
  },
  /** Takes everything, and answers with count and SHA-256 as JSON. */
  async sink(stream) {
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const chunk of stream) {
      hash.update(chunk);
      bytes += chunk.length;
    }
    await stream.write(Buffer.from(JSON.stringify({ bytes, sha256: hash.digest('hex') })));
    await stream.end();
  },
  /** Takes everything, and answers with the count only. */
  async count(stream) {
    let bytes = 0;
    for await (const chunk of stream) bytes += chunk.length;
    await stream.write(Buffer.from(String(bytes)));
    await stream.end();
  },
  /** Sends without end, until the stream is reset. */
  async source(stream) {
    for (;;) await stream.write(PIECE);
  },
};

/** Serves the streams that the peer opens until the tunnel ends. */
export async function serveStreams(tunnel: Tunnel): Promise<void> {
  for (let stream = await tunnel.acceptStream(); stream !== undefined; stream = await tunnel.acceptStream()) {
    const accepted = stream;
    const service = SERVICES[accepted.kind];
    if (service === undefined) accepted.reset();
    else service(accepted).catch(() => accepted.reset()); // the peer gave it up, or the tunnel ended
  }
}
