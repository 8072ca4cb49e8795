import { CRI_METHODS } from '../../../src/cri/cri-client.ts';
import { GRPC } from '../../../src/cri/grpc-status.ts';
import type { Decoded, Encodable, Fields, Message } from '../../../src/cri/wire.ts';
import { answer, FakeServer, refuse, requestOf, type Handler } from '../../cri/fake-server.ts';

type Methods = typeof CRI_METHODS;
type RequestOf<K extends keyof Methods> = Methods[K][1] extends Message<infer F> ? Decoded<F> : never;
type AnswerOf<K extends keyof Methods> = Methods[K][2] extends Message<infer F> ? Encodable<F> : never;

/** What a call is answered with; it may throw a {@link Refusal}. What is not there is unimplemented. */
export type Answers = { [K in keyof Methods]?: (request: RequestOf<K>) => AnswerOf<K> };

/** To be thrown by an answer. */
export class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** A server that speaks CRI, and says what it is told to. */
export class FakeCri {
  readonly server: FakeServer;
  readonly answers: Answers;
  /** Names of the calls, in order. */
  readonly calls: string[] = [];
  /** Answers of services beside CRI's own, by path. */
  readonly others = new Map<string, Handler>();

  constructor(socketPath: string, answers: Answers) {
    this.answers = {
      Version: () => ({ runtimeName: 'fake', runtimeVersion: '1.0' }),
      Status: () => ({}),
      ListPodSandbox: () => ({}),
      ListContainers: () => ({}),
      ...answers,
    };
    this.server = new FakeServer(socketPath, (stream, headers) => {
      const path = headers[':path'] ?? '';
      const other = this.others.get(path);
      if (other !== undefined) other(stream, headers);
      else void this.#answer(path, stream);
    });
  }

  async #answer(path: string, stream: Parameters<Handler>[0]): Promise<void> {
    const name = path.slice(path.lastIndexOf('/') + 1);
    const request = await requestOf(stream);
    const method = (
      CRI_METHODS as Record<string, readonly [string, Message<Fields>, Message<Fields>, string]>
    )[name];
    // One row of the table belongs together; the compiler cannot see that.
    const respond = (this.answers as Record<string, ((request: unknown) => Encodable<Fields>) | undefined>)[
      name
    ];
    if (method === undefined || respond === undefined) {
      refuse(stream, GRPC.unimplemented, `unknown method ${name}`);
      return;
    }
    this.calls.push(name);
    try {
      answer(stream, method[2].encode(respond(method[1].decode(request))));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      refuse(stream, error.status, encodeURIComponent(error.message));
    }
  }
}
