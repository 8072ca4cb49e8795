import type { IncomingMessage } from 'node:http';
import type { Clock } from '@hawser/seams';
import { CloudCoreError } from '../errors.ts';

/** Largest body of a request. */
export const MAX_BODY_BYTES = 64 * 1024;
const BODY_TIMEOUT_MS = 10_000;

/**
 * Reads a request's body as a JSON object.
 * @throws CloudCoreError `ERR_CLOUDCORE_BAD_REQUEST`: too large, too slow, broken off, no JSON object
 */
export async function readJsonBody(
  request: IncomingMessage,
  clock: Clock,
): Promise<Readonly<Record<string, unknown>>> {
  const text = await readBody(request, clock);
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (cause) {
    throw bad('the body is no JSON', cause);
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw bad('the body is no JSON object');
  return body as Readonly<Record<string, unknown>>;
}

/** A text of the body. @throws CloudCoreError `ERR_CLOUDCORE_BAD_REQUEST` where it is missing or no text */
export function textField(body: Readonly<Record<string, unknown>>, name: string): string {
  const value = body[name];
  if (typeof value === 'string' && value !== '') return value;
  throw bad(`the body has no text ${JSON.stringify(name)}`);
}

/** A text of the body that may be left out. @throws CloudCoreError `ERR_CLOUDCORE_BAD_REQUEST` where it is no text */
export function optionalTextField(body: Readonly<Record<string, unknown>>, name: string): string | undefined {
  return body[name] === undefined ? undefined : textField(body, name);
}

function readBody(request: IncomingMessage, clock: Clock): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const timer = clock.setTimer(BODY_TIMEOUT_MS, () => end(bad('the body did not arrive in time')));
    const end = (error: CloudCoreError): void => {
      timer.cancel();
      request.off('data', onData);
      request.resume(); // what still comes is dropped until the answer closes the connection
      reject(error);
    };
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > MAX_BODY_BYTES) end(bad(`the body has more than ${MAX_BODY_BYTES} bytes`));
      else chunks.push(chunk);
    };
    request.on('data', onData);
    request.once('end', () => {
      timer.cancel();
      resolve(Buffer.concat(chunks).toString('utf8'));
    });
    request.once('close', () => end(bad('the request broke off')));
    request.once('error', (error) => end(bad(`the request broke off: ${error.message}`)));
  });
}

function bad(message: string, cause?: unknown): CloudCoreError {
  return new CloudCoreError('ERR_CLOUDCORE_BAD_REQUEST', message, cause === undefined ? {} : { cause });
}
