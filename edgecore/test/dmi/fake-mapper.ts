import {
  Client,
  credentials,
  Server,
  ServerCredentials,
  status,
  type handleUnaryCall,
  type ServiceError,
} from '@grpc/grpc-js';
import { decodePlain, dmiRoot, encodePlain, type Plain } from './dmi-proto.ts';

const raw = (bytes: Buffer): Buffer => bytes;

/** A call that the mapper was asked. */
export interface Asked {
  readonly method: string;
  readonly request: Plain;
}

/** The service of mappers as protobufjs and grpc-js make it of the .proto text: nothing of it is ours. */
export class FakeMapper {
  readonly asked: Asked[] = [];
  /** How often it was asked whether it is there. */
  probes = 0;
  /** What it answers; undefined: never. Default: yes. */
  answer: (asked: Asked) => Plain | Error | undefined = () => ({});
  #server: Server | undefined;
  readonly address: string;

  constructor(address: string) {
    this.address = address;
  }

  /** Names of devices and models by method, in order. */
  get log(): readonly string[] {
    return this.asked.map(({ method, request }) => {
      const { device, model, deviceName, modelName } = request as {
        device?: { name: string };
        model?: { name: string };
        deviceName?: string;
        modelName?: string;
      };
      return `${method} ${device?.name ?? model?.name ?? deviceName ?? modelName ?? ''}`;
    });
  }

  async start(): Promise<void> {
    const server = new Server();
    const service = dmiRoot.lookupService('v1beta1.DeviceMapperService');
    for (const { name, resolvedRequestType, resolvedResponseType } of service.methodsArray) {
      const definition = {
        ...({
          path: `/v1beta1.DeviceMapperService/${name}`,
          requestStream: false,
          responseStream: false,
        } as const),
        ...{
          requestSerialize: raw,
          requestDeserialize: raw,
          responseSerialize: raw,
          responseDeserialize: raw,
        },
      };
      const handle: handleUnaryCall<Buffer, Buffer> = (call, callback) => {
        const asked = {
          method: name,
          request: decodePlain(resolvedRequestType?.fullName ?? '', call.request),
        };
        this.asked.push(asked);
        const answer = this.answer(asked);
        if (answer instanceof Error) callback({ code: status.UNKNOWN, details: answer.message });
        else if (answer !== undefined)
          callback(null, encodePlain(resolvedResponseType?.fullName ?? '', answer));
      };
      server.addService({ call: definition }, { call: handle });
    }
    const health = {
      ...({ path: '/grpc.health.v1.Health/Check', requestStream: false, responseStream: false } as const),
      ...{
        requestSerialize: raw,
        requestDeserialize: raw,
        responseSerialize: raw,
        responseDeserialize: raw,
      },
    };
    const unimplemented: handleUnaryCall<Buffer, Buffer> = (_, callback) => {
      this.probes += 1;
      callback({ code: status.UNIMPLEMENTED, details: 'as of any server without it' });
    };
    server.addService({ health }, { health: unimplemented });
    await new Promise<void>((resolve, reject) => {
      server.bindAsync(`unix:${this.address}`, ServerCredentials.createInsecure(), (error) =>
        error === null ? resolve() : reject(error),
      );
    });
    this.#server = server;
  }

  /** Its process dies. */
  stop(): void {
    this.#server?.forceShutdown();
    this.#server = undefined;
  }
}

/** Who calls the edge, in the same way. A connection for each call, as KubeEdge's framework has it. */
export async function callEdge(socket: string, method: string, request: Plain): Promise<Plain> {
  const found = dmiRoot.lookupService('v1beta1.DeviceManagerService').methods[method];
  const bytes = encodePlain(found?.resolvedRequestType?.fullName ?? '', request);
  return decodePlain(found?.resolvedResponseType?.fullName ?? '', await callRaw(socket, method, bytes));
}

/** The same with bytes that may be anything. */
export async function callRaw(socket: string, method: string, bytes: Buffer): Promise<Buffer> {
  const client = new Client(`unix:${socket}`, credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
  });
  try {
    return await new Promise<Buffer>((resolve, reject) => {
      const path = `/v1beta1.DeviceManagerService/${method}`;
      const deadline = Date.now() + 5_000;
      client.makeUnaryRequest(
        path,
        raw,
        raw,
        bytes,
        { deadline },
        (error: ServiceError | null, value?: Buffer) => {
          if (error !== null) reject(error);
          else resolve(value ?? Buffer.alloc(0));
        },
      );
    });
  } finally {
    client.close();
  }
}

/** What a mapper says of itself. */
export function registration(address: string, more: Plain = {}, withData = true): Plain {
  const mapper = {
    ...{
      name: 'virtual-mapper',
      version: 'v1.13.0',
      api_version: 'v1.0.0',
      apiVersion: 'v1.0.0',
      protocol: 'virtual',
      state: 'ok',
    },
    address: Buffer.from(address),
    ...more,
  };
  return { withData, mapper };
}
