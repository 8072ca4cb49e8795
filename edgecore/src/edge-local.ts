import type { Worker } from 'node:worker_threads';
import type { Clock, Logger, Random } from '@hawser/seams';
import { Outbox } from '@hawser/sync';
import type { Registry } from '@hawser/seams/metrics';
import type { EdgeConfig } from './config/options.ts';
import { LazyDevices } from './devices/lazy-devices.ts';
import type { EdgePods, EdgePodsOptions } from './edge-pods-types.ts';
import { makeRuntime } from './edge-runtime.ts';
import { EventRecorder } from './events/event-recorder.ts';
import { Reporter } from './hub/reporter.ts';
import type { ApiForPods } from './local-api/api-for-pods.ts';
import { hasDefinitions } from './mappers/definition-folder.ts';
import { LinuxMachine, type Machine } from './node/machine.ts';
import { NodeReporter } from './node/node-reporter.ts';
import { RuntimeHealth } from './node/runtime-health.ts';
import { nullParts } from './pods/null-parts.ts';
import { PodManager } from './pods/pod-manager.ts';
import { PodStatuses } from './pods/pod-statuses.ts';
import type { Quantities } from './pods/pod.ts';
import { RecordedPodEvents } from './pods/recorded-pod-events.ts';
import type { ContainerRuntime } from './runtime/container-runtime.ts';
import type { JsonState } from './state/json-state.ts';
import { StoredJsonState } from './state/stored-json-state.ts';
import type { StopList } from './stop-list.ts';
import { EdgeStore } from './store/edge-store.ts';
import { ReplicaWholeness } from './store/replica-wholeness.ts';
import type { StoreFault } from './store/store-report.ts';
import type { TokenManager } from './tokens/token-manager.ts';

/** What {@link openLocal} needs. */
export interface EdgeLocalOptions {
  readonly node: string;
  readonly config: EdgeConfig;
  readonly machine: Machine | undefined;
  readonly storeWorker: Worker | undefined;
  readonly registry: Registry;
  /** Asked when a pod needs one: they are there later than this. */
  readonly tokens: () => Pick<TokenManager, 'get'>;
  /** What pods are told of the local API; absent: nothing. */
  readonly apiForPods?: ApiForPods | undefined;
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
  /** What is on its way into the outbox. */
  readonly say: Pick<Reporter, 'waiting'>;
  readonly events: EventRecorder;
  readonly machine: Machine;
  readonly runtime: ContainerRuntime;
  readonly pods: PodManager;
  readonly statuses: PodStatuses;
  readonly reporter: NodeReporter;
  /** Devices, as soon as the node has any. */
  readonly devices: LazyDevices;
  /** The pod has another token of its service account than before. */
  tokenChanged(uid: string): void;
  /** The hub has said that everything is here. */
  synced(): void;
  /** Begins to look at the node and after its pods. Called once. */
  start(): Promise<void>;
}

const MAX_FAULTS = 8;
const ENDS_WITH_ROOM: ReadonlySet<string> = new Set(['ERR_EDGE_STORE_FULL', 'ERR_EDGE_STORE_READ_ONLY']);
/** How long the stop waits for a runtime that takes calls and does not answer: then what waits for it fails. */
const STOP_PATIENCE_MS = 5_000;
/** Of a node whose runtime is not what one expects of a node. */
const CAUTION_ANNOTATION = 'hawser.dev/runtime-caution';
const READY_MESSAGE = 'edgecore is posting ready status';

/** Opens the store and what is in it: outbox, node, pods. */
export async function openLocal(options: EdgeLocalOptions, stop: StopList): Promise<EdgeLocal> {
  const { node, config, clock, log } = options;
  const scope = `node/${node}`;
  const faults: StoreFault[] = [];
  const local: {
    pods?: PodManager;
    reporter?: NodeReporter;
    wholeness?: ReplicaWholeness;
    devices?: LazyDevices;
  } = {};
  const store = await EdgeStore.open({
    dir: config.data.dir,
    worker: options.storeWorker,
    log: log.child({ component: 'store' }),
    onFault: (fault) => {
      faults.push(fault);
      if (faults.length > MAX_FAULTS) faults.shift();
      if (fault.finding !== undefined || fault.lostObjects.length > 0) local.wholeness?.damaged();
      if (fault.lostObjects.length > 0) options.onLost();
    },
    onRoom: () => faults.splice(0, faults.length, ...faults.filter(({ code }) => !ENDS_WITH_ROOM.has(code))),
  });
  stop.add(() => store.close());
  const wholeness = new ReplicaWholeness({ store, scope, log });
  local.wholeness = wholeness;
  await wholeness.start();
  const state = new StoredJsonState(store.state, log);
  const outbox = new Outbox({
    store: store.outbox,
    onReportRequest: (kinds) => {
      if (kinds.includes('node')) local.reporter?.forget();
      if (kinds.includes('pod') || kinds.includes('pod-gone')) local.pods?.repeat();
      if (kinds.includes('device') || kinds.includes('device-setting')) local.devices?.present?.repeat();
    },
    clock,
    ...(options.random !== undefined && { random: options.random }),
    log: log.child({ component: 'outbox' }),
  });
  stop.add(() => outbox.stop());
  await startOutbox(outbox, log);

  const say = new Reporter({ outbox, clock, log });
  stop.add(() => say.flush());
  const recorder = new EventRecorder({
    report: (key, body) => say.event(key, body),
    clock,
    ...config.events,
  });
  const events = new RecordedPodEvents(recorder);
  const { registry } = options;
  const runtime = await makeRuntime({
    ...{ node, config: config.pods, dataDir: config.data.dir, state, registry, clock, log },
    nodeAddresses: () => reporter.addresses,
    tell: (pod, type, reason, message) => {
      const { namespace, name, uid } = pod;
      recorder.record({ kind: 'Pod', apiVersion: 'v1', namespace, name, uid }, type, reason, message);
    },
  });
  const health = new RuntimeHealth({
    ...{ runtime, clock },
    periodMs: config.node.statusPeriodMs,
    onChange: () => reporter.look(),
    log: log.child({ component: 'runtime' }),
  });
  const machine = options.machine ?? new LinuxMachine(config.data.dir);
  const statuses = new PodStatuses(state);
  const needs = await podNeeds(runtime, {
    ...{ node, config, scope, store, state, events, runtime, statuses, registry, clock, log },
    tokens: options.tokens,
    apiForPods: options.apiForPods,
    hostIps: () => reporter.addresses,
    allocatable: () => (reporter.body?.status['allocatable'] ?? {}) as Quantities, // as nodeBody makes it
    allPods: () => pods.allPods(),
    wake: (uid) => pods.wake(uid),
    evict: (uid, message) => pods.evict(uid, message),
    onNode: () => reporter.look(),
    onNodeEvent: (reason, message) => {
      recorder.record({ kind: 'Node', apiVersion: 'v1', name: node }, 'Warning', reason, message);
    },
  });
  const reporter: NodeReporter = new NodeReporter({
    ...{ node, config, machine, state, clock },
    report: (body) => say.node(body),
    onAddresses: () => pods.wakeAll(),
    runtimeVersion: () => runtime.version,
    ...(needs.images !== undefined && { images: needs.images }),
    notReady: () => whyNotReady(faults) ?? health.problem,
    readyMessage: readyMessage(runtime),
    ...cautionOf(runtime),
    log: log.child({ component: 'node' }),
  });
  local.reporter = reporter;
  const pods: PodManager = new PodManager({
    ...{ scope, runtime, statuses, events, clock },
    replica: store.replica,
    parts: needs.parts,
    reports: say.podReports(),
    isLost: (key) => store.lost(scope).has(key),
    hasLost: () => wholeness.mayLack,
    onUnreadable: (key, problem) => {
      log.warn({ key }, `a pod cannot be read: ${problem}`);
      say.report('PodUnreadable', `${key}: ${problem}`, key);
    },
    onPods: options.onPods,
    hostIps: () => reporter.addresses,
    relistPeriodMs: config.pods.relistPeriodMs,
    parallelStarts: config.pods.parallelStarts,
    log: log.child({ component: 'pods' }),
  });
  local.pods = pods;
  const devices = new LazyDevices({
    ...{ replica: store.replica, scope, clock, log },
    hasDefinitions: async () => config.dmi.socket !== '' || (await hasDefinitions(config.mappers.dir)),
    load: async () =>
      (await import('./edge-devices.ts')).makeEdgeDevices({
        ...{ node, config, scope, store, state, reporter: say, events: recorder, registry, clock, log },
        mayLack: () => wholeness.mayLack,
        random: options.random,
      }),
  });
  local.devices = devices;
  return {
    ...{
      scope,
      store,
      faults,
      state,
      outbox,
      say,
      events: recorder,
      machine,
      runtime,
      pods,
      statuses,
      reporter,
    },
    devices,
    tokenChanged: (uid) => {
      needs.tokenChanged(uid);
      pods.wake(uid);
    },
    synced: () => {
      wholeness.synced();
      devices.present?.synced();
      options.onPods(); // only now it may be known that these are all
    },
    start: async () => {
      stop.add(() => runtime.stop());
      stop.add(() => health.stop());
      // The first word of the node is not to be that it is not ready.
      await Promise.all([runtime.start(), health.start()]);
      stop.add(() => reporter.stop());
      await reporter.start();
      stop.add(() => pods.stop());
      await pods.start();
      stop.add(async () => {
        const close = (): void => void runtime.stop().catch(() => {}); // told when it is its turn
        const patience = clock.setTimer(STOP_PATIENCE_MS, close, { background: true });
        await needs.stop().finally(() => patience.cancel());
      });
      needs.start();
      if (config.eventBus.mode === 'off') return;
      stop.add(() => devices.stop());
      await devices.start();
    },
  };
}

function readyMessage({ real, traits }: ContainerRuntime): string {
  const caution = real ? traits?.caution : 'its runtime is a stand-in that runs nothing';
  return caution === undefined ? READY_MESSAGE : `${READY_MESSAGE}; ${caution}`;
}

function cautionOf({ traits }: ContainerRuntime): {
  readonly annotations?: Readonly<Record<string, string>>;
} {
  return traits?.caution === undefined ? {} : { annotations: { [CAUTION_ANNOTATION]: traits.caution } };
}

/** What pods need beside the runtime: nothing, where it runs nothing. */
async function podNeeds(runtime: ContainerRuntime, options: EdgePodsOptions): Promise<EdgePods> {
  if (runtime.real) return (await import('./edge-pods.ts')).makeEdgePods(options);
  return {
    parts: nullParts(runtime.images),
    tokenChanged: () => {},
    start: () => {},
    stop: () => Promise.resolve(),
  };
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
