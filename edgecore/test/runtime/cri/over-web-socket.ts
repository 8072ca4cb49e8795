import { once } from 'node:events';
import { request } from 'node:http';
import type { Socket } from 'node:net';
import { within } from '@hawser/seams/testing';

const OPCODE_CLOSE = 8;
/** In place of a length: it is in the next two bytes. */
const LONGER = 126;

/**
 * Opens a stream of a runtime with a WebSocket (`v4.channel.k8s.io`); everything that comes until it is closed, as
 * text: each message has the number of its channel before it.
 */
export async function overWebSocket(url: URL): Promise<string> {
  const upgrade = request(url, {
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': Buffer.alloc(16).toString('base64'),
      'sec-websocket-protocol': 'v4.channel.k8s.io',
    },
  });
  upgrade.end();
  const [, socket, head] = (await within('the upgrade', once(upgrade, 'upgrade'))) as [
    unknown,
    Socket,
    Buffer,
  ];
  try {
    let bytes = head;
    let read = '';
    while (true) {
      // Frames of a server are not masked, and these have lengths of 16 bits at most.
      const short = (bytes[1] ?? 0) & 0x7f;
      const from = short === LONGER ? 4 : 2;
      const length = short === LONGER && bytes.length >= from ? bytes.readUInt16BE(2) : short;
      if (bytes.length < from + length) {
        const [more] = (await within('a frame', once(socket, 'data'))) as [Buffer];
        bytes = Buffer.concat([bytes, more]);
        continue;
      }
      if (((bytes[0] ?? 0) & 0x0f) === OPCODE_CLOSE) return read;
      read += bytes.toString('utf8', from, from + length);
      bytes = bytes.subarray(from + length);
    }
  } finally {
    socket.destroy();
  }
}
