import type { IncomingMessage } from 'node:http';
import { badRequest, requestEntityTooLarge } from '../../status/status-errors.ts';

/**
 * Reads a request's body.
 * @throws StatusError RequestEntityTooLarge beyond `limitBytes`, BadRequest if the client went away.
 */
export function readBody(request: IncomingMessage, limitBytes: number): Promise<Buffer> {
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > limitBytes) return Promise.reject(requestEntityTooLarge(limitBytes));
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    request.on('data', (chunk: Buffer) => {
      sizeBytes += chunk.length;
      if (sizeBytes > limitBytes) {
        chunks.length = 0;
        request.pause();
        reject(requestEntityTooLarge(limitBytes));
        return;
      }
      chunks.push(chunk);
    });
    request.once('end', () => resolve(Buffer.concat(chunks)));
    request.once('error', (error) =>
      reject(badRequest('unexpected end of the request body', { cause: error })),
    );
    request.once('close', () => {
      if (!request.complete) reject(badRequest('unexpected end of the request body'));
    });
  });
}
