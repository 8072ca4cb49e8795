import { once } from 'node:events';
import { request } from 'node:http';
import type { Socket } from 'node:net';
import { within } from '@hawser/seams/testing';

const OPCODE_CLOSE = 8;

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
      // Frames of a server are not masked, and these are short.
      const length = (bytes[1] ?? 0) & 0x7f;
      if (bytes.length < 2 || bytes.length < 2 + length) {
        const [more] = (await within('a frame', once(socket, 'data'))) as [Buffer];
        bytes = Buffer.concat([bytes, more]);
        continue;
      }
      if (((bytes[0] ?? 0) & 0x0f) === OPCODE_CLOSE) return read;
      read += bytes.toString('utf8', 2, 2 + length);
      bytes = bytes.subarray(2 + length);
    }
  } finally {
    socket.destroy();
  }
}
