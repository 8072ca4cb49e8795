import { Client, credentials, Metadata, status, type ClientUnaryCall } from '@grpc/grpc-js';
import type { Decoded, Encodable, Fields } from '../cri/wire.ts';
import type { DmiMethod } from './dmi-services.ts';

/** What came of a call to a mapper. */
export type MapperAnswer<A> =
  | { readonly ok: true; readonly value: A }
  /** `reached`: the mapper itself has said no; else it did not answer, or `late`: not in time. */
  | { readonly ok: false; readonly reached: boolean; readonly late: boolean; readonly message: string };

/** Largest answer that is read, bytes. */
const MAX_ANSWER_BYTES = 1024 * 1024;
const MESSAGE_CHARS = 300;
/** Any gRPC server answers this, if only that it has no such method: one that hangs does not. */
const PROBE_PATH = '/grpc.health.v1.Health/Check';
/** Statuses that are made here, where nobody answers. */
const UNANSWERED: ReadonlySet<number> = new Set([
  status.UNAVAILABLE,
  status.DEADLINE_EXCEEDED,
  status.CANCELLED,
]);

/** The connection to the socket on which a mapper serves. It connects when it is used, again and again. */
export class MapperLink {
  readonly #client: Client;
  readonly #calls = new Set<ClientUnaryCall>();
  #closed = false;

  /** @param path of the mapper's socket */
  constructor(path: string) {
    this.#client = new Client(`unix:${path}`, credentials.createInsecure(), {
      'grpc.default_authority': 'localhost',
      'grpc.max_receive_message_length': MAX_ANSWER_BYTES,
      'grpc.initial_reconnect_backoff_ms': 500,
      'grpc.max_reconnect_backoff_ms': 5_000,
      'grpc.use_local_subchannel_pool': 1, // a mapper that comes back on the same path has a connection of its own
      'grpc.enable_retries': 0,
      'grpc.enable_channelz': 0,
      'grpc.service_config_disable_resolution': 1,
    });
  }

  /** Asks the mapper something. Never rejects. @param timeoutMs after which it has not answered */
  call<Q extends Fields, A extends Fields>(
    { path, request, response }: DmiMethod<Q, A>,
    value: Encodable<Q>,
    timeoutMs: number,
  ): Promise<MapperAnswer<Decoded<A>>> {
    const encoded = Buffer.from(request.encode(value));
    return this.#exchange(path, encoded, (bytes) => response.decode(bytes), timeoutMs);
  }

  /** Whether anybody answers: `late`, not in time; `gone`, there is no connection. Never rejects. */
  async probe(timeoutMs: number): Promise<'answers' | 'late' | 'gone'> {
    const answer = await this.#exchange(PROBE_PATH, Buffer.alloc(0), () => true, timeoutMs);
    if (answer.ok || answer.reached) return 'answers';
    return answer.late ? 'late' : 'gone';
  }

  /** What is asked has no answer any more. Idempotent. */
  close(): void {
    this.#closed = true;
    for (const call of this.#calls) call.cancel();
    this.#client.close();
  }

  #exchange<A>(
    path: string,
    request: Buffer,
    read: (bytes: Buffer) => A,
    timeoutMs: number,
  ): Promise<MapperAnswer<A>> {
    if (this.#closed)
      return Promise.resolve({
        ok: false,
        reached: false,
        late: false,
        message: 'it is not called any more',
      });
    return new Promise((resolve) => {
      const call = this.#client.makeUnaryRequest<Buffer, A>(
        path,
        (bytes) => bytes,
        read,
        request,
        new Metadata(),
        { deadline: Date.now() + timeoutMs },
        (error, value) => {
          this.#calls.delete(call);
          if (error === null && value !== undefined) resolve({ ok: true, value });
          else {
            const { code = status.UNKNOWN, details = 'no answer' } = error ?? {};
            const message = `${status[code]}: ${details}`.slice(0, MESSAGE_CHARS);
            resolve({
              ok: false,
              reached: !UNANSWERED.has(code),
              late: code === status.DEADLINE_EXCEEDED,
              message,
            });
          }
        },
      );
      this.#calls.add(call);
    });
  }
}
