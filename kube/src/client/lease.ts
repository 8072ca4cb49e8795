import type { KubeObject } from '../meta/object.ts';
import { StatusError } from '../status/status.ts';
import type { ApiClient } from './api-client.ts';
import { ResourceClient, type CallOptions } from './resource-client.ts';
import { RESOURCES } from './resources.ts';

/** `spec` of a Lease. Source: k8s.io/api coordination/v1 LeaseSpec. */
export interface LeaseSpec {
  /** `''` or absent: nobody holds it. */
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  /** RFC 3339 with microseconds; for humans, never judged by others. */
  readonly acquireTime?: string;
  readonly renewTime?: string;
  /** How often the holder changed. */
  readonly leaseTransitions?: number;
}

/** A Lease. */
export interface Lease extends KubeObject {
  readonly spec?: LeaseSpec;
}

/** Which lease, and how to reach it. */
export interface LeaseLockOptions {
  readonly client: ApiClient;
  readonly namespace: string;
  readonly name: string;
}

/**
 * One Lease as a lock: whoever writes it on top of the version read has it. Single attempts without retries, since
 * the elector has its own rhythm. Errors: see `ApiClient`.
 */
export class LeaseLock {
  readonly #options: LeaseLockOptions;
  readonly #leases: ResourceClient<Lease>;
  readonly #timeoutMs: number;

  /** `timeoutMs`: for each call. */
  constructor(options: LeaseLockOptions, timeoutMs: number) {
    this.#options = options;
    this.#timeoutMs = timeoutMs;
    this.#leases = new ResourceClient(options.client, RESOURCES.leases);
  }

  /** `namespace/name`. */
  get about(): string {
    return `${this.#options.namespace}/${this.#options.name}`;
  }

  /** The lease; undefined if there is none. */
  async read(signal: AbortSignal): Promise<Lease | undefined> {
    try {
      return await this.#leases.get(this.#options.namespace, this.#options.name, this.#call(signal));
    } catch (error) {
      if (error instanceof StatusError && error.status.code === 404) return undefined;
      throw error;
    }
  }

  /** Makes the lease; AlreadyExists when somebody was faster. */
  create(spec: LeaseSpec, signal: AbortSignal): Promise<Lease> {
    const { namespace, name } = this.#options;
    const lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { namespace, name },
      spec,
    };
    return this.#leases.create(lease, this.#call(signal));
  }

  /** Writes on top of `current`; Conflict when it is not that any more. */
  write(current: Lease, spec: LeaseSpec, signal: AbortSignal): Promise<Lease> {
    const lease = { ...current, apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' };
    return this.#leases.update({ ...lease, spec: { ...current.spec, ...spec } }, this.#call(signal));
  }

  #call(signal: AbortSignal): CallOptions {
    return { signal, retries: 0, timeoutMs: this.#timeoutMs };
  }
}

/** Wall time in the form of Kubernetes' MicroTime. */
export function microTime(wallMs: number): string {
  return new Date(wallMs).toISOString().replace('Z', '000Z');
}
