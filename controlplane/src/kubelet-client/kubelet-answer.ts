import type { IncomingMessage } from 'node:http';
import { badRequest, failure, internalError, type StatusError, type StatusReason } from '@hawser/kube';

/** What of a refusal is read. Source: k8s.io/apiserver registry/generic/rest, maxReadLength. */
const MAX_BYTES = 50_000;

const REASONS: Readonly<Record<number, StatusReason>> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  429: 'TooManyRequests',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

/**
 * What a kubelet's refusal means for the client. kube-apiserver keeps the text for 400, 403 and 500 and drops it for
 * others; here it is kept for all, since it says what is wrong.
 * Source: k8s.io/apiserver registry/generic/rest GenericHttpResponseChecker.
 */
export async function refusalOf(response: IncomingMessage): Promise<StatusError> {
  const text = (await bodyOf(response)).toString('utf8').trim();
  const { statusCode = 502 } = response;
  if (statusCode === 500) return internalError(text);
  if (statusCode === 400) return badRequest(text);
  const code = statusCode >= 400 ? statusCode : 502;
  return failure(code, REASONS[code] ?? (code >= 500 ? 'InternalError' : ''), text);
}

/** The body, cut where it is no text for people any more. */
export async function bodyOf(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      length += chunk.length;
      if (length >= MAX_BYTES) break;
    }
  } catch {
    return Buffer.concat(chunks); // cut off: what has come is better than nothing
  }
  return Buffer.concat(chunks).subarray(0, MAX_BYTES);
}
