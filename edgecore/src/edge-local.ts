import type { Worker } from 'node:worker_threads';
import type { Clock, Logger, Random } from '@hawser/seams';
import { Outbox } from '@hawser/sync';
import type { EdgeConfig } from './config/options.ts';
import { EventRecorder } from './events/event-recorder.ts';
import { Reporter } from './hub/reporter.ts';
import { LinuxMachine, type Machine } from './node/machine.ts';
import { NodeReporter } from './node/node-reporter.ts';
import { nullParts } from './pods/null-parts.ts';
import { PodManager } from './pods/pod-manager.ts';
import { PodStatuses } from './pods/pod-statuses.ts';
import { RecordedPodEvents } from './pods/recorded-pod-events.ts';
import { NullRuntime } from './runtime/null-runtime.ts';
import type { ContainerRuntime } from './runtime/container-runtime.ts';
import type { JsonState } from './state/json-state.ts';
import { StoredJsonState } from './state/stored-json-state.ts';
import type { StopList } from './stop-list.ts';
import { EdgeStore } from './store/edge-store.ts';
import type { StoreFault } from './store/store-report.ts';

/** What {@link startLocal} needs. */
export interface EdgeLocalOptions {
  readonly node: string;
  readonly config: EdgeConfig;
  readonly machine: Machine | undefined;
  readonly storeWorker: Worker | undefined;
  /** The pods of the node are others than before. */
  readonly onPods: () => void;
  /** The store has lost objects to damage: the hub has them. */
  readonly onLost: () => void;
  readonly clock: Clock;
  readonly random: Random | undefined;
  readonly log: Logger;
}

/** What works without a hub. */
export interface EdgeLocal {
  readonly scope: string;
  readonly store: EdgeStore;
  /** Faults of the store since the start, latest last; at most 8. */
  readonly faults: readonly StoreFault[];
  readonly state: JsonState;
  readonly outbox: Outbox;
  readonly events: EventRecorder;
  readonly machine: Machine;
  readonly runtime: ContainerRuntime;
  readonly pods: PodManager;
  readonly statuses: PodStatuses;
  readonly reporter: NodeReporter;
}

const MAX_FAULTS = 8;
const READY_MESSAGE = 'edgecore is posting ready status';

/** Opens the store and brings to life what is in it: outbox, node, pods. */
export async function startLocal(options: EdgeLocalOptions, stop: StopList): Promise<EdgeLocal> {
  const { node, config, clock, log } = options;
  const faults: StoreFault[] = [];
  const store = await EdgeStore.open({
    dir: config.data.dir,
    worker: options.storeWorker,
    log: log.child({ component: 'store' }),
    onFault: (fault) => {
      faults.push(fault);
      if (faults.length > MAX_FAULTS) faults.shift();
      if (fault.lostObjects.length > 0) options.onLost();
    },
  });
  stop.add(() => store.close());
  const state = new StoredJsonState(store.state, log);
  const local: { pods?: PodManager; reporter?: NodeReporter } = {};
  const outbox = new Outbox({
    store: store.outbox,
    onReportRequest: (kinds) => {
      if (kinds.includes('node')) local.reporter?.forget();
      if (kinds.includes('pod') || kinds.includes('pod-gone')) local.pods?.repeat();
    },
    clock,
    ...(options.random !== undefined && { random: options.random }),
    log: log.child({ component: 'outbox' }),
  });
  stop.add(() => outbox.stop());
  await startOutbox(outbox, log);

  const say = new Reporter({ outbox, clock, log });
  const events = new EventRecorder({ report: (key, body) => say.event(key, body), clock, ...config.events });
  const scope = `node/${node}`;
  const runtime: ContainerRuntime = new NullRuntime({ state, clock });
  const machine = options.machine ?? new LinuxMachine(config.data.dir);
  const reporter = new NodeReporter({
    node,
    config,
    machine,
    state,
    report: (body) => say.node(body),
    onAddresses: () => local.pods?.wakeAll(),
    runtimeVersion: runtime.version,
    notReady: () => whyNotReady(faults),
    readyMessage: runtime.real
      ? READY_MESSAGE
      : `${READY_MESSAGE}; its runtime is a stand-in that runs nothing`,
    clock,
    log: log.child({ component: 'node' }),
  });
  local.reporter = reporter;
  const statuses = new PodStatuses(state);
  const pods = new PodManager({
    scope,
    replica: store.replica,
    runtime,
    parts: nullParts(runtime.images),
    statuses,
    reports: say.podReports(),
    events: new RecordedPodEvents(events),
    isLost: (key) => store.lost(scope).has(key),
    hasLost: () => store.lost(scope).size > 0,
    onUnreadable: (key, problem) => {
      log.warn({ key }, `a pod cannot be read: ${problem}`);
      say.report('PodUnreadable', `${key}: ${problem}`, key);
    },
    onPods: options.onPods,
    hostIps: () => reporter.addresses,
    relistPeriodMs: config.pods.relistPeriodMs,
    parallelStarts: config.pods.parallelStarts,
    clock,
    log: log.child({ component: 'pods' }),
  });
  local.pods = pods;
  stop.add(() => reporter.stop());
  await reporter.start();
  stop.add(() => pods.stop());
  await pods.start();
  return { scope, store, faults, state, outbox, events, machine, runtime, pods, statuses, reporter };
}

/** What the outbox had on disk may be unreadable; what is said from now on goes all the same. */
async function startOutbox(outbox: Outbox, log: Logger): Promise<void> {
  try {
    await outbox.start();
  } catch (error) {
    log.error({ err: error }, 'what waited for the cloud before the restart cannot be read, and is not sent');
  }
}

/** A store that takes nothing any more cannot keep what the cloud wants of this node. */
function whyNotReady(faults: readonly StoreFault[]): string | undefined {
  const failed = faults.findLast(({ code }) => code === 'ERR_EDGE_STORE_FAILED');
  return failed && `the store cannot be written: ${failed.message}`;
}
