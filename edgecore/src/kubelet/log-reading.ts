import type { Clock } from '@hawser/seams';
import { ContainerEnd } from '../container-logs/container-end.ts';
import { ContainerLog } from '../container-logs/container-log.ts';
import type { LogQuery } from '../container-logs/log-query.ts';
import type { ContainerRuntime, RuntimeContainer } from '../runtime/container-runtime.ts';
import { KubeletFailure } from './kubelet-failure.ts';

/** What is to be read. */
export interface LogReadingOptions {
  readonly runtime: Pick<ContainerRuntime, 'name' | 'get' | 'listen'>;
  /** UID of the pod. */
  readonly uid: string;
  readonly container: RuntimeContainer;
  readonly query: LogQuery;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

/** The log of a container as somebody reads it; where it is followed, until the container has ended. */
export class LogReading {
  readonly chunks: AsyncIterable<Uint8Array>;
  readonly #log: ContainerLog;
  readonly #end: ContainerEnd | undefined;

  private constructor(log: ContainerLog, end: ContainerEnd | undefined) {
    this.chunks = log;
    this.#log = log;
    this.#end = end;
  }

  /** @throws KubeletFailure 400: it has no log; EdgeCoreError `ERR_EDGECORE_CONTAINER_LOG`; `signal.reason` */
  static async open(options: LogReadingOptions): Promise<LogReading> {
    const { runtime, uid, container, query, signal, clock } = options;
    if (container.logPath === '') {
      const message = `container "${container.name}" has no log: the container runtime "${runtime.name}" keeps none of it`;
      throw new KubeletFailure(400, message);
    }
    const end =
      query.follow === true
        ? new ContainerEnd({ runtime, uid, containerId: container.id, clock })
        : undefined;
    const log = await ContainerLog.open({
      path: container.logPath,
      query,
      ...(end !== undefined && { ended: end.signal }),
      signal,
      clock,
    });
    end?.start();
    return new LogReading(log, end);
  }

  /** Lets go of everything. Idempotent. */
  async close(): Promise<void> {
    this.#end?.stop();
    await this.#log.close();
  }
}
