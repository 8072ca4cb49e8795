import { setMaxListeners } from 'node:events';
import {
  InformerFactory,
  localListerWatchers,
  type ApiClient,
  type ObjectStore,
  type Registry,
} from '@hawser/kube';
import type { Clock, Logger, Random } from '@hawser/seams';
import { API } from '../api/resources.ts';
import { Scheduler } from '../scheduler/scheduler.ts';
import type { ControllerContext, ControlLoop } from './context.ts';
import { DaemonSetController } from './daemon-set.ts';
import { DeploymentController } from './deployment.ts';
import { EndpointsController } from './endpoints.ts';
import { EventExpiry } from './event-expiry.ts';
import { EventRecorder } from './event-recorder.ts';
import { GarbageCollector } from './garbage-collector.ts';
import { JobController } from './job.ts';
import { NamespaceController } from './namespace.ts';
import { NamespaceDefaultsController } from './namespace-defaults.ts';
import { NodeLifecycleController, type NodeLifecycleOptions } from './node-lifecycle.ts';
import { PodCleanupController, type PodCleanupOptions } from './pod-cleanup.ts';
import { podNode, PODS_BY_NODE } from './pods-by-node.ts';
import { ReplicaSetController } from './replica-set.ts';
import { TaintEvictionController } from './taint-eviction.ts';

/** Times by which nodes and their pods are judged. */
export type NodeTimes = NodeLifecycleOptions & PodCleanupOptions;

/** What the controllers need. */
export interface ControllerManagerOptions {
  readonly client: ApiClient;
  readonly store: ObjectStore;
  readonly registry: Registry;
  /** The authority of the API server, PEM. */
  readonly ca: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly nodeTimes?: NodeTimes;
}

/**
 * All controllers, over one set of caches. There is one control plane on a machine, and so no election: a leader
 * elector of `@hawser/kube` would call `start` and `stop`.
 */
export class ControllerManager {
  readonly #options: ControllerManagerOptions;
  readonly #stopping = new AbortController();
  #informers: InformerFactory | undefined;
  #events: EventRecorder | undefined;
  #loops: readonly ControlLoop[] = [];

  constructor(options: ControllerManagerOptions) {
    this.#options = options;
    setMaxListeners(0, this.#stopping.signal); // each cache listens to it while it syncs
  }

  /** Resolves when every cache is synced and every controller works. A second call does nothing. */
  async start(): Promise<void> {
    if (this.#informers !== undefined || this.#stopping.signal.aborted) return;
    const { client, clock, random, logger, store, registry } = this.#options;
    const onError = (error: Error, phase: string): void =>
      logger.warn({ err: error, phase }, 'cache of the controllers failed, goes on by itself');
    const local = localListerWatchers({ store, registry, clock });
    this.#informers = new InformerFactory(local, { clock, random, onError });
    this.#events = new EventRecorder(client, clock, logger.child({ component: 'events' }));
    const context: ControllerContext = {
      ...{ client, clock, random, logger, store, registry },
      informers: this.#informers,
      events: this.#events,
    };
    context.informers.informer(API.pods).addIndexers({ [PODS_BY_NODE]: podNode });
    this.#loops = this.#makeLoops(context);
    this.#informers.start();
    await this.#informers.waitForSync(this.#stopping.signal);
    for (const loop of this.#loops) loop.start();
  }

  /** Stops all in reverse, whatever fails, then reports what failed. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the controllers were stopped'));
    const failures: unknown[] = [];
    const steps = [
      ...[...this.#loops].reverse().map((loop) => () => loop.stop()),
      () => this.#events?.stop(),
      () => this.#informers?.stop(),
    ];
    for (const step of steps) {
      try {
        await step();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'controllers did not stop cleanly');
  }

  #makeLoops(context: ControllerContext): ControlLoop[] {
    const { ca, nodeTimes } = this.#options;
    return [
      new NamespaceDefaultsController(context, ca),
      new NamespaceController(context),
      new GarbageCollector(context),
      new NodeLifecycleController(context, nodeTimes),
      new TaintEvictionController(context),
      new PodCleanupController(context, nodeTimes),
      new Scheduler(context),
      new ReplicaSetController(context),
      new DeploymentController(context),
      new DaemonSetController(context),
      new JobController(context),
      new EndpointsController(context),
      new EventExpiry(context),
    ];
  }
}
