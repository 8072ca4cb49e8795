import { request, type IncomingMessage } from 'node:http';
import { EdgeCoreError } from '../errors.ts';
import type { LocalApiStatus } from '../local-api/local-api-types.ts';
import type { PoolStatus } from '../pool/pool-types.ts';
import type { DeviceView } from '../twins/twins.ts';
import type {
  AcceptClusterAnswer,
  AdminFailure,
  DeviceReading,
  DeviceViews,
  EdgeStatus,
  MapperRows,
  ObjectList,
  ObjectView,
  PodRows,
  PodView,
} from './admin-types.ts';

/** Where edgecore listens unless its configuration says otherwise. */
export const DEFAULT_ADMIN_SOCKET = '/run/hawser/edgecore.sock';

/** Settings of {@link AdminClient}. */
export interface AdminClientOptions {
  /** Path of the socket. Default {@link DEFAULT_ADMIN_SOCKET}. */
  readonly socket?: string;
  /** How long an answer may take, milliseconds. Default 10,000. */
  readonly timeoutMs?: number;
}

/** The largest answer: an object of the API in JSON, and some room. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

/**
 * Speaks with the edgecore of this machine; works without a cloud.
 *
 * Errors of all calls: EdgeCoreError `ERR_EDGECORE_ADMIN_UNREACHABLE` where nobody listens or this user may not;
 * `ERR_EDGECORE_ADMIN` with what was refused; `signal.reason`.
 */
export class AdminClient {
  readonly #socket: string;
  readonly #timeoutMs: number;

  constructor(options: AdminClientOptions = {}) {
    this.#socket = options.socket ?? DEFAULT_ADMIN_SOCKET;
    this.#timeoutMs = options.timeoutMs ?? 10_000;
  }

  /** Everything that edgecore says of itself. */
  async status(signal?: AbortSignal): Promise<EdgeStatus> {
    return (await this.#json('GET', '/v1/status', signal)) as EdgeStatus;
  }

  /** Accepts the cluster that is held; answers which. */
  async acceptCluster(signal?: AbortSignal): Promise<AcceptClusterAnswer> {
    return (await this.#json('POST', '/v1/accept-cluster', signal)) as AcceptClusterAnswer;
  }

  /** Ends the session and connects anew, at once. */
  async reconnect(signal?: AbortSignal): Promise<void> {
    await this.#json('POST', '/v1/reconnect', signal);
  }

  /** The objects that the edge has. @param resource only of this one, `pods` */
  async objects(resource?: string, signal?: AbortSignal): Promise<ObjectList> {
    const query = resource === undefined ? '' : `?resource=${encodeURIComponent(resource)}`;
    return (await this.#json('GET', `/v1/objects${query}`, signal)) as ObjectList;
  }

  /** One object. @param key `resource/namespace/name` */
  async object(key: string, signal?: AbortSignal): Promise<ObjectView> {
    const path = key.split('/').map(encodeURIComponent).join('/');
    return (await this.#json('GET', `/v1/objects/${path}`, signal)) as ObjectView;
  }

  /** The pods that the edge is to run. */
  async pods(signal?: AbortSignal): Promise<PodRows> {
    return (await this.#json('GET', '/v1/pods', signal)) as PodRows;
  }

  /** One pod, with its status and what happened to it. */
  async pod(namespace: string, name: string, signal?: AbortSignal): Promise<PodView> {
    const path = [namespace, name].map(encodeURIComponent).join('/');
    return (await this.#json('GET', `/v1/pods/${path}`, signal)) as PodView;
  }

  /** The devices of the node, with their twins. */
  async devices(signal?: AbortSignal): Promise<DeviceViews> {
    return (await this.#json('GET', '/v1/devices', signal)) as DeviceViews;
  }

  /** One device, with its twins. */
  async device(namespace: string, name: string, signal?: AbortSignal): Promise<DeviceView> {
    return (await this.#json('GET', devicePath(namespace, name), signal)) as DeviceView;
  }

  /** Has the mapper read values now. @param properties none: all */
  async readDevice(
    namespace: string,
    name: string,
    properties: readonly string[],
    signal?: AbortSignal,
  ): Promise<DeviceReading> {
    const wanted = properties.map((property) => `&property=${encodeURIComponent(property)}`).join('');
    return (await this.#json(
      'GET',
      `${devicePath(namespace, name)}?read=1${wanted}`,
      signal,
    )) as DeviceReading;
  }

  /** Sets values, all or none; answers the device as it is then. They are durable, and on their way. */
  async setDevice(
    namespace: string,
    name: string,
    values: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ): Promise<DeviceView> {
    return (await this.#json('POST', devicePath(namespace, name), signal, { values })) as DeviceView;
  }

  /** The device now, and after each change, until `signal` aborts or it is gone. */
  async *watchDevice(namespace: string, name: string, signal?: AbortSignal): AsyncGenerator<DeviceView> {
    const answer = await this.stream(`${devicePath(namespace, name)}?watch=1`, signal);
    let rest = '';
    answer.setEncoding('utf8');
    try {
      for await (const chunk of answer as AsyncIterable<string>) {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) yield JSON.parse(line) as DeviceView;
      }
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  }

  /** The mappers of the node, and what is wrong with definitions of others. */
  async mappers(signal?: AbortSignal): Promise<MapperRows> {
    return (await this.#json('GET', '/v1/mappers', signal)) as MapperRows;
  }

  /** The pool of the node, as this member sees it; undefined: it is in none. */
  async pool(signal?: AbortSignal): Promise<PoolStatus | undefined> {
    return (await this.#jsonIfThere('/v1/pool', signal)) as PoolStatus | undefined;
  }

  /** The local API of the node; undefined: it has none. */
  async localApi(signal?: AbortSignal): Promise<LocalApiStatus | undefined> {
    return (await this.#jsonIfThere('/v1/local-api', signal)) as LocalApiStatus | undefined;
  }

  /**
   * Asks the kubelet API, or a watch, for something that may go on for ever; to be read, or destroyed. The time-out is for the
   * first byte of the answer.
   * @param path with its query
   * @returns the answer, whose status is 200
   */
  async stream(path: string, signal?: AbortSignal): Promise<IncomingMessage> {
    signal?.throwIfAborted();
    const answer = await this.#begin(path, signal);
    if (answer.statusCode === 200) return answer;
    const chunks: Buffer[] = [];
    for await (const chunk of answer) chunks.push(chunk as Buffer);
    const text = kubeletFailureIn(Buffer.concat(chunks).toString());
    throw new EdgeCoreError('ERR_EDGECORE_ADMIN', `${answer.statusCode ?? 0}: ${text}`, { about: path });
  }

  /** Metrics in the text format of Prometheus. */
  async metrics(signal?: AbortSignal): Promise<string> {
    return (await this.#ask('GET', '/metrics', signal)).text;
  }

  async #json(
    method: string,
    path: string,
    signal: AbortSignal | undefined,
    body?: unknown,
  ): Promise<unknown> {
    const { text } = await this.#ask(method, path, signal, body);
    return parse(text, path);
  }

  async #jsonIfThere(path: string, signal: AbortSignal | undefined): Promise<unknown> {
    signal?.throwIfAborted();
    const { status, text } = await this.#exchange('GET', path, signal, undefined);
    return status === 404 ? undefined : parse(read(status, text, path), path);
  }

  async #ask(
    method: string,
    path: string,
    signal: AbortSignal | undefined,
    body?: unknown,
  ): Promise<{ text: string }> {
    signal?.throwIfAborted();
    const { status, text } = await this.#exchange(method, path, signal, body);
    return { text: read(status, text, path) };
  }

  #exchange(
    method: string,
    path: string,
    signal: AbortSignal | undefined,
    body: unknown,
  ): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const timeout = AbortSignal.timeout(this.#timeoutMs);
      const either = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
      const fail = (cause: unknown): void => {
        if (signal?.aborted === true) reject(signal.reason as Error);
        else reject(this.#unreachable(timeout.aborted ? timeout.reason : cause));
      };
      const asked = request(
        { socketPath: this.#socket, method, path, agent: false, signal: either },
        (answer) => {
          const chunks: Buffer[] = [];
          let length = 0;
          answer.on('data', (chunk: Buffer) => {
            length += chunk.length;
            if (length > MAX_ANSWER_BYTES) answer.destroy(new Error('the answer is too large'));
            else chunks.push(chunk);
          });
          answer.on('error', fail);
          answer.on('end', () => {
            resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString() });
          });
        },
      );
      asked.on('error', fail);
      asked.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  #begin(path: string, signal: AbortSignal | undefined): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const asked = request({
        ...{ socketPath: this.#socket, path, agent: false },
        ...(signal !== undefined && { signal }),
      });
      const onLate = (): void => {
        asked.destroy(new Error(`no answer within ${this.#timeoutMs} ms`));
      };
      const patience = setTimeout(onLate, this.#timeoutMs);
      asked.on('response', (answer) => {
        clearTimeout(patience);
        resolve(answer);
      });
      asked.on('error', (cause) => {
        clearTimeout(patience);
        if (signal?.aborted === true) reject(signal.reason as Error);
        else reject(this.#unreachable(cause));
      });
      asked.end();
    });
  }

  #unreachable(cause: unknown): EdgeCoreError {
    const why = cause instanceof Error ? cause.message : String(cause);
    const message = `edgecore does not answer on ${this.#socket}: ${why}`;
    return new EdgeCoreError('ERR_EDGECORE_ADMIN_UNREACHABLE', message, { cause, about: this.#socket });
  }
}

function devicePath(namespace: string, name: string): string {
  return `/v1/devices/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;
}

/** The text of an answer that is a success. @throws EdgeCoreError `ERR_EDGECORE_ADMIN` */
function read(status: number, text: string, path: string): string {
  if (status >= 200 && status < 300) return text;
  throw new EdgeCoreError('ERR_EDGECORE_ADMIN', `${status}: ${failureIn(text)}`, { about: path });
}

/** @throws EdgeCoreError `ERR_EDGECORE_ADMIN` */
function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new EdgeCoreError('ERR_EDGECORE_ADMIN', `${path}: the answer is no JSON`, { cause });
  }
}

function failureIn(text: string): string {
  try {
    return (JSON.parse(text) as AdminFailure).error.message;
  } catch {
    return text.slice(0, 200); // not ours: as it is
  }
}

/** A kubelet's refusals are text, some of them with JSON in it; those of the socket itself are ours. */
function kubeletFailureIn(text: string): string {
  try {
    const { message, error } = JSON.parse(text) as { message?: unknown; error?: { message?: unknown } };
    const said = message ?? error?.message;
    return typeof said === 'string' ? said : text.slice(0, 200);
  } catch {
    return text.slice(0, 200); // text, as most of them
  }
}
