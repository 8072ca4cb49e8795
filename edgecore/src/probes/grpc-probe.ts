import http2 from 'node:http2';
import { GRPC, grpcStatusOf } from '../cri/grpc-status.ts';
import { GrpcStream } from '../cri/grpc-stream.ts';
import { int32, message, string } from '../cri/wire.ts';
import { networkFailure } from './network-failure.ts';
import { DeadlineError, withDeadline, type DeadlineOptions } from './probe-deadline.ts';
import { failure, type ProbeOutcome } from './probe-outcome.ts';
import { addressOf, type Target } from './probe-target.ts';

/** Source: grpc.health.v1, health.proto. */
const Request = message('HealthCheckRequest', { service: string(1) });
const Response = message('HealthCheckResponse', { status: int32(1) });
const SERVING = 1;
const STATUS_NAMES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];
const CHECK = '/grpc.health.v1.Health/Check';
const MAX_ANSWER_BYTES = 64 * 1024;

/**
 * Asks a server of the gRPC health protocol, without TLS. Source: kubernetes, pkg/probe/grpc.
 * @param service as the server knows it; empty: the server as a whole
 */
export function grpcProbe(target: Target, service: string, options: DeadlineOptions): Promise<ProbeOutcome> {
  const address = addressOf(target);
  let isConnected = false;
  return withDeadline(options, async (signal) => {
    try {
      const session = await connected(address, signal);
      isConnected = true;
      try {
        return outcomeOf(Response.decode(await check(session, service, signal)).status);
      } finally {
        session.destroy();
      }
    } catch (error) {
      if (signal.aborted && !(signal.reason instanceof DeadlineError)) throw error;
      return failure(
        isConnected ? rpcWords(error, options.timeoutMs) : connectWords(error, address, options.timeoutMs),
      );
    }
  });
}

/** A session whose server has said that it speaks HTTP/2. */
function connected(address: string, signal: AbortSignal): Promise<http2.ClientHttp2Session> {
  return new Promise((resolve, reject) => {
    const session = http2.connect(`http://${address}`, { settings: { enablePush: false } });
    const settle = (error?: Error): void => {
      signal.removeEventListener('abort', onAbort);
      if (error === undefined) {
        resolve(session);
        return;
      }
      session.destroy();
      reject(error);
    };
    const onAbort = (): void => settle(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    // Its first frame has to be its settings: without that it is another protocol that is spoken there.
    session.once('remoteSettings', () => settle());
    // What breaks later is seen by the stream; without a listener it would end the process.
    session.on('error', (error: Error) => settle(error));
    session.once('close', () => settle(new Error('connection closed before server preface received')));
  });
}

function check(session: http2.ClientHttp2Session, service: string, signal: AbortSignal): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    let answer: Uint8Array | undefined;
    const onAbort = (): void => {
      stream.cancel();
      reject(signal.reason as Error);
    };
    const stream = new GrpcStream(
      session,
      { path: CHECK, request: Request.encode({ service }), limitBytes: MAX_ANSWER_BYTES },
      {
        message: (data) => {
          answer = data;
        },
        end: (error) => {
          signal.removeEventListener('abort', onAbort);
          if (error !== undefined) reject(error);
          else resolve(answer ?? new Uint8Array());
        },
      },
    );
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

function outcomeOf(status: number): ProbeOutcome {
  if (status === SERVING) return { result: 'success', output: 'service healthy' };
  return failure(`service unhealthy (responded with "${STATUS_NAMES[status] ?? String(status)}")`);
}

function connectWords(error: unknown, address: string, timeoutMs: number): string {
  if (error instanceof DeadlineError) {
    return `timeout: failed to connect service "${address}" within ${timeoutMs / 1000}s: context deadline exceeded`;
  }
  return `error: failed to connect service at "${address}": ${networkFailure(error, address)}`;
}

function rpcWords(error: unknown, timeoutMs: number): string {
  const { message: text } = error as Error;
  const status = grpcStatusOf(error);
  if (error instanceof DeadlineError || status === GRPC.deadlineExceeded) {
    return `timeout: health rpc did not complete within ${timeoutMs / 1000}s`;
  }
  if (status === GRPC.unimplemented) {
    return `error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${text}`;
  }
  return `error: health rpc probe failed: ${text}`;
}
