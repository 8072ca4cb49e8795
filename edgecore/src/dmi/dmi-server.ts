import { createServer, type Server as NetServer, type Socket } from 'node:net';
import {
  Server,
  ServerCredentials,
  status,
  type handleUnaryCall,
  type MethodDefinition,
  type ServiceDefinition,
} from '@grpc/grpc-js';
import { DeviceError } from '@hawser/devices';
import type { Logger } from '@hawser/seams';
import type { Decoded, Encodable, Fields } from '../cri/wire.ts';
import { CallError } from './call-error.ts';
import type { DmiCounters } from './dmi-counters.ts';
import type { DmiMappers } from './dmi-mappers.ts';
import { MANAGER_METHODS, type DmiMethod } from './dmi-services.ts';
import { listenPrivately, stopListening } from './dmi-socket.ts';

/** What a {@link DmiServer} needs. */
export interface DmiServerOptions {
  /** Path of the socket. */
  readonly socket: string;
  readonly mappers: Pick<DmiMappers, 'register' | 'reportStatus' | 'reportState'>;
  readonly counters: DmiCounters;
  readonly log: Logger;
}

/** KubeEdge's framework opens a connection for each call. */
const MAX_CONNECTIONS = 128;
const MAX_STREAMS = 32;
const MAX_MESSAGE_BYTES = 1024 * 1024;
const MAX_SESSION_MEGABYTES = 4;
/** A connection on which nothing is asked for so long is ended, milliseconds. */
const IDLE_MS = 5 * 60_000;
/** So long a connection may be silent before its first call, milliseconds. */
const FIRST_MS = 10_000;

/**
 * `DeviceManagerService` of KubeEdge's DMI v1beta1 on a unix socket. Who may open the socket's file (0600) may call it, as
 * it is with KubeEdge: there are no other credentials in this interface.
 */
export class DmiServer {
  readonly #options: DmiServerOptions;
  readonly #connections = new Set<Socket>();
  #grpc: Server | undefined;
  #listener: NetServer | undefined;

  constructor(options: DmiServerOptions) {
    this.#options = options;
  }

  /** Opens the socket. Called once. @throws EdgeCoreError `ERR_EDGECORE_DMI` */
  async start(): Promise<void> {
    const { mappers, socket, log } = this.#options;
    const grpc = new Server({
      'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
      'grpc.max_concurrent_streams': MAX_STREAMS,
      'grpc.max_connection_idle_ms': IDLE_MS,
      'grpc-node.max_session_memory': MAX_SESSION_MEGABYTES,
      'grpc.enable_channelz': 0,
    });
    const { mapperRegister, reportDeviceStatus, reportDeviceStates } = MANAGER_METHODS;
    this.#serve(grpc, mapperRegister, (request) => mappers.register(request));
    this.#serve(grpc, reportDeviceStatus, (request) => {
      mappers.reportStatus(request);
      return {};
    });
    this.#serve(grpc, reportDeviceStates, (request) => {
      mappers.reportState(request);
      return {};
    });
    const injector = grpc.createConnectionInjector(ServerCredentials.createInsecure());
    const listener = createServer((connection) => {
      this.#connections.add(connection);
      connection.on('close', () => this.#connections.delete(connection));
      connection.on('error', () => {}); // the other side has gone
      connection.setTimeout(FIRST_MS, () => connection.destroy());
      connection.once('readable', () => {
        connection.setTimeout(0);
        injector.injectConnection(connection);
      });
    });
    listener.maxConnections = MAX_CONNECTIONS;
    await listenPrivately(listener, socket);
    listener.on('error', (error) => log.warn({ err: error }, 'DMI socket'));
    this.#grpc = grpc;
    this.#listener = listener;
  }

  /** Ends all calls, and removes the socket. Idempotent. */
  async stop(): Promise<void> {
    const [grpc, listener] = [this.#grpc, this.#listener];
    this.#grpc = undefined;
    this.#listener = undefined;
    grpc?.forceShutdown();
    for (const connection of this.#connections) connection.destroy();
    if (listener !== undefined) await stopListening(listener, this.#options.socket);
  }

  #serve<Q extends Fields, A extends Fields>(
    grpc: Server,
    { path, request, response }: DmiMethod<Q, A>,
    handler: (request: Decoded<Q>) => Promise<Encodable<A>> | Encodable<A>,
  ): void {
    const raw = (bytes: Buffer): Buffer => bytes;
    const definition: MethodDefinition<Buffer, Buffer> = {
      ...{ path, requestStream: false, responseStream: false },
      ...{ requestSerialize: raw, requestDeserialize: raw, responseSerialize: raw, responseDeserialize: raw },
    };
    const handle: handleUnaryCall<Buffer, Buffer> = (call, callback) => {
      void this.#answer(path, async () => {
        const value = await handler(decoded(() => request.decode(call.request)));
        return Buffer.from(response.encode(value));
      }).then((answer) => {
        if (answer instanceof CallError) callback({ code: answer.code, details: answer.message });
        else callback(null, answer);
      });
    };
    const service: ServiceDefinition = { call: definition };
    grpc.addService(service, { call: handle });
  }

  /** Never rejects. */
  async #answer(path: string, handle: () => Promise<Buffer>): Promise<Buffer | CallError> {
    const { counters, log } = this.#options;
    try {
      const bytes = await handle();
      counters.calls.taken += 1;
      return bytes;
    } catch (error) {
      const failure = callErrorOf(error);
      counters.calls[failure.outcome] += 1;
      if (failure.code === status.INTERNAL) log.error({ err: error, path }, 'a call of a mapper failed');
      else log.debug({ path, message: failure.message }, 'a call of a mapper was not taken');
      return failure;
    }
  }
}

function decoded<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new CallError('malformed', 'INVALID_ARGUMENT', `it cannot be read: ${(error as Error).message}`);
  }
}

function callErrorOf(error: unknown): CallError {
  if (error instanceof CallError) return error;
  const message = (error as Error).message;
  // A device that went away meanwhile.
  if (error instanceof DeviceError) return new CallError('refused', 'NOT_FOUND', message);
  return new CallError('refused', 'INTERNAL', message);
}
