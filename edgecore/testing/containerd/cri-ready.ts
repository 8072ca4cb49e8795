import { connect, type IncomingHttpHeaders } from 'node:http2';
import { connect as connectSocket } from 'node:net';

const CALL_TIMEOUT_MS = 5_000;

/** Whether containerd's CRI service answers. It is not there before all that was there has been found again. */
export async function isCriReady(socket: string): Promise<boolean> {
  try {
    await call(socket, 'RuntimeService/ListPodSandbox', Buffer.alloc(0));
    return true;
  } catch {
    return false; // whatever it is, the caller asks again
  }
}

/** Whether the CRI service knows an image, which it does a moment after it was imported. */
export async function hasImage(socket: string, name: string): Promise<boolean> {
  const spec = field(1, Buffer.from(name)); // ImageSpec.image
  return (await call(socket, 'ImageService/ImageStatus', field(1, spec))).length > 0;
}

/** A field of type bytes, text or message. Source: protocol buffers, encoding. */
function field(number: number, bytes: Buffer): Buffer {
  if (bytes.length > 127) throw new RangeError('longer than one byte of length can say');
  return Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
}

/** One unary gRPC call; the message of the answer. A site does not use the client that is tested with it. */
function call(socket: string, method: string, message: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const session = connect('http://localhost', { createConnection: () => connectSocket(socket) });
    const fail = (error: Error): void => {
      session.destroy();
      reject(error);
    };
    session.once('error', fail);
    const stream = session.request({
      ':method': 'POST',
      ':path': `/runtime.v1.${method}`,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    let status: unknown;
    const parts: Buffer[] = [];
    stream.setTimeout(CALL_TIMEOUT_MS, () => fail(new Error(`${method} was not answered`)));
    stream.once('error', fail);
    stream.on('response', (headers) => (status = headers['grpc-status']));
    stream.on('trailers', (headers: IncomingHttpHeaders) => (status = headers['grpc-status'] ?? status));
    stream.on('data', (part: Buffer) => parts.push(part));
    stream.once('end', () => {
      session.close();
      if (String(status) === '0') resolve(Buffer.concat(parts).subarray(5));
      else reject(new Error(`${method} failed with status ${String(status)}`));
    });
    const prefix = Buffer.alloc(5); // not compressed, length
    prefix.writeUInt32BE(message.length, 1);
    stream.end(Buffer.concat([prefix, message]));
  });
}
