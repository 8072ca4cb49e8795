import { RuntimeError } from '../runtime/runtime-error.ts';
import * as container from './container-messages.ts';
import { GrpcClient, type GrpcCallOptions } from './grpc-client.ts';
import * as image from './image-messages.ts';
import * as runtime from './runtime-messages.ts';
import * as sandbox from './sandbox-messages.ts';
import type { Decoded, Encodable, Fields, Message } from './wire.ts';

const RUNTIME = '/runtime.v1.RuntimeService/';
const IMAGES = '/runtime.v1.ImageService/';

/**
 * The calls of CRI v1 that we use: service, request, answer. `slow` ones may take as long as a container does, and must
 * not stand in the way of the others.
 */
export const CRI_METHODS = {
  Version: [RUNTIME, runtime.VersionRequest, runtime.VersionResponse, 'quick'],
  Status: [RUNTIME, runtime.StatusRequest, runtime.StatusResponse, 'quick'],
  UpdateRuntimeConfig: [
    RUNTIME,
    runtime.UpdateRuntimeConfigRequest,
    runtime.UpdateRuntimeConfigResponse,
    'quick',
  ],
  RunPodSandbox: [RUNTIME, sandbox.RunPodSandboxRequest, sandbox.RunPodSandboxResponse, 'slow'],
  StopPodSandbox: [RUNTIME, sandbox.StopPodSandboxRequest, sandbox.StopPodSandboxResponse, 'slow'],
  RemovePodSandbox: [RUNTIME, sandbox.RemovePodSandboxRequest, sandbox.RemovePodSandboxResponse, 'slow'],
  PodSandboxStatus: [RUNTIME, sandbox.PodSandboxStatusRequest, sandbox.PodSandboxStatusResponse, 'quick'],
  ListPodSandbox: [RUNTIME, sandbox.ListPodSandboxRequest, sandbox.ListPodSandboxResponse, 'quick'],
  PortForward: [RUNTIME, sandbox.PortForwardRequest, sandbox.PortForwardResponse, 'quick'],
  CreateContainer: [RUNTIME, container.CreateContainerRequest, container.CreateContainerResponse, 'slow'],
  StartContainer: [RUNTIME, container.StartContainerRequest, container.StartContainerResponse, 'slow'],
  StopContainer: [RUNTIME, container.StopContainerRequest, container.StopContainerResponse, 'slow'],
  RemoveContainer: [RUNTIME, container.RemoveContainerRequest, container.RemoveContainerResponse, 'slow'],
  ListContainers: [RUNTIME, container.ListContainersRequest, container.ListContainersResponse, 'quick'],
  ContainerStatus: [RUNTIME, container.ContainerStatusRequest, container.ContainerStatusResponse, 'quick'],
  UpdateContainerResources: [
    RUNTIME,
    container.UpdateContainerResourcesRequest,
    container.UpdateContainerResourcesResponse,
    'quick',
  ],
  ReopenContainerLog: [
    RUNTIME,
    container.ReopenContainerLogRequest,
    container.ReopenContainerLogResponse,
    'quick',
  ],
  ListContainerStats: [
    RUNTIME,
    container.ListContainerStatsRequest,
    container.ListContainerStatsResponse,
    'quick',
  ],
  ExecSync: [RUNTIME, container.ExecSyncRequest, container.ExecSyncResponse, 'slow'],
  Exec: [RUNTIME, container.ExecRequest, container.ExecResponse, 'quick'],
  Attach: [RUNTIME, container.AttachRequest, container.AttachResponse, 'quick'],
  ListImages: [IMAGES, image.ListImagesRequest, image.ListImagesResponse, 'quick'],
  ImageStatus: [IMAGES, image.ImageStatusRequest, image.ImageStatusResponse, 'quick'],
  PullImage: [IMAGES, image.PullImageRequest, image.PullImageResponse, 'slow'],
  RemoveImage: [IMAGES, image.RemoveImageRequest, image.RemoveImageResponse, 'slow'],
  ImageFsInfo: [IMAGES, image.ImageFsInfoRequest, image.ImageFsInfoResponse, 'quick'],
} as const satisfies Record<string, readonly [string, Message<Fields>, Message<Fields>, 'quick' | 'slow']>;

/** The one call of CRI v1 whose answer is a stream. */
export const CRI_EVENTS_PATH = `${RUNTIME}GetContainerEvents`;

type Methods = typeof CRI_METHODS;
type RequestOf<K extends keyof Methods> = Methods[K][1] extends Message<infer F> ? Encodable<F> : never;
type AnswerOf<K extends keyof Methods> = Methods[K][2] extends Message<infer F> ? Decoded<F> : never;

/** Settings of a {@link CriClient}. */
export interface CriClientOptions {
  /** Path of the runtime's unix socket. */
  readonly socketPath: string;
}

/** A kubelet's `runtimeRequestTimeout`. */
const DEFAULT_TIMEOUT_MS = 120_000;

/** Calls a container runtime through CRI v1. Errors as those of {@link GrpcClient}. */
export class CriClient {
  /** The connection; other services on the same socket may be called through it. */
  readonly connection: GrpcClient;

  constructor(options: CriClientOptions) {
    this.connection = new GrpcClient(options);
  }

  /** @param options a call without `timeoutMs` has 2 minutes; `Infinity`: as long as it takes */
  async call<K extends keyof Methods>(
    method: K,
    request: RequestOf<K>,
    options: GrpcCallOptions = {},
  ): Promise<AnswerOf<K>> {
    // One row of the table: the compiler cannot see that request, answer and name belong together.
    const [service, asked, answered, lane] = CRI_METHODS[method] as unknown as readonly [
      string,
      Message<Fields>,
      Message<Fields>,
      'quick' | 'slow',
    ];
    const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const data = await this.connection.call(`${service}${method}`, asked.encode(request), {
      ...options,
      slow: lane === 'slow',
      timeoutMs: timeoutMs === Infinity ? undefined : timeoutMs,
    });
    return decodeAnswer(answered, data, method) as AnswerOf<K>;
  }

  /** The events of containers, as the runtime tells them. Ends with `GrpcStatusError` 12 where it has none. */
  async *events(
    signal: AbortSignal,
  ): AsyncGenerator<Decoded<typeof container.ContainerEventResponse.fields>> {
    const request = container.GetEventsRequest.encode({});
    for await (const data of this.connection.stream(CRI_EVENTS_PATH, request, { signal })) {
      yield decodeAnswer(container.ContainerEventResponse, data, 'GetContainerEvents');
    }
  }

  /** Ends every call that is on its way. Idempotent. */
  close(): void {
    this.connection.close();
  }
}

/** @throws RuntimeError `ERR_EDGECORE_RUNTIME` where it is not that message */
export function decodeAnswer<F extends Fields>(
  message: Message<F>,
  data: Uint8Array,
  about: string,
): Decoded<F> {
  try {
    return message.decode(data);
  } catch (cause) {
    throw new RuntimeError('ERR_EDGECORE_RUNTIME', `${about}: the answer cannot be read`, { about, cause });
  }
}
