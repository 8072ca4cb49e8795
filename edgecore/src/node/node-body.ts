import type { UpstreamBodies } from '@hawser/sync';
import type { EdgeConfig } from '../config/options.ts';
import type { NodeImage } from '../images/node-images.ts';
import { apiTime } from '../pods/pod-status-types.ts';
import { quantityOf } from '../pods/quantity.ts';
import type { MachineFacts, MachineReading } from './machine.ts';
import { PRESSURE_TEXTS, PRESSURES, type NodeCondition, type Pressure } from './node-conditions.ts';

/** What the node tells of itself. */
export type NodeBody = UpstreamBodies['node'];

/** What a {@link NodeBody} is made from. */
export interface NodeBodyInput {
  /** Name of the node; its hostname in the API too, whatever the machine calls itself. */
  readonly node: string;
  readonly config: Pick<EdgeConfig, 'node' | 'reserved' | 'pressure'>;
  readonly facts: MachineFacts;
  readonly reading: MachineReading;
  readonly pressures: ReadonlySet<Pressure>;
  /** `nodeInfo.containerRuntimeVersion`. */
  readonly runtimeVersion: string;
  /** What the runtime has, as in the API; absent: it has none. */
  readonly images?: readonly NodeImage[];
  /** Why the node is not ready; undefined: it is. */
  readonly notReady: string | undefined;
  /** Said with Ready when it is. */
  readonly readyMessage: string;
  /** Annotations beside those of the configuration. Default: none. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Conditions before, whose times are kept while their status is the same. */
  readonly previous: readonly NodeCondition[];
  /** Wall time, milliseconds. */
  readonly nowMs: number;
}

/** The release of Kubernetes whose API this edge speaks, with our own. */
export const KUBELET_VERSION = 'v1.36.0-hawser.0.1';

/**
 * A node's registration and status, as a kubelet's. A function of its arguments; what flutters on an idle machine
 * (free memory, free space) is not in it, so that equal answers mean: nothing to report.
 * Source: kubelet, kubelet_node_status.go.
 */
export function nodeBody(input: NodeBodyInput): NodeBody {
  const { config, facts, reading } = input;
  return {
    labels: {
      'beta.kubernetes.io/arch': facts.architecture,
      'beta.kubernetes.io/os': facts.operatingSystem,
      'kubernetes.io/arch': facts.architecture,
      'kubernetes.io/hostname': input.node,
      'kubernetes.io/os': facts.operatingSystem,
      ...config.node.labels,
    },
    annotations: { ...input.annotations, ...config.node.annotations },
    taints: config.node.taints.map(({ key, value, effect }) => ({
      key,
      ...(value !== undefined && { value }),
      effect,
    })),
    status: {
      capacity: capacity(input),
      allocatable: allocatable(input),
      conditions: nodeConditions(input),
      addresses: nodeAddresses(config.node.ip, input.node, reading.addresses),
      nodeInfo: {
        machineID: facts.machineId,
        systemUUID: facts.systemUuid,
        bootID: facts.bootId,
        kernelVersion: facts.kernelVersion,
        osImage: facts.osImage,
        containerRuntimeVersion: input.runtimeVersion,
        kubeletVersion: KUBELET_VERSION,
        kubeProxyVersion: '',
        operatingSystem: facts.operatingSystem,
        architecture: facts.architecture,
      },
      ...(input.images !== undefined && { images: input.images }),
    },
  };
}

/** The addresses that the node has, for its own status and those of its pods: the configured one, or the first real ones of each family. */
export function nodeIps(configured: string, found: readonly string[]): readonly string[] {
  if (configured !== '') return [configured];
  const v4 = found.find((address) => !address.includes(':'));
  const v6 = found.find((address) => address.includes(':'));
  return [v4, v6].filter((address) => address !== undefined);
}

function nodeAddresses(configured: string, hostname: string, found: readonly string[]): readonly object[] {
  return [
    ...nodeIps(configured, found).map((address) => ({ type: 'InternalIP', address })),
    { type: 'Hostname', address: hostname },
  ];
}

function capacity({ config, facts, reading }: NodeBodyInput): Readonly<Record<string, string>> {
  return {
    cpu: String(facts.cpus),
    'ephemeral-storage': kibibytes(reading.disk.totalBytes),
    memory: kibibytes(reading.memoryTotalBytes),
    pods: String(config.node.maxPods),
  };
}

/** What is reserved, and what pressure keeps free, is not for pods. Source: kubelet, "Node Allocatable". */
function allocatable({ config, facts, reading }: NodeBodyInput): Readonly<Record<string, string>> {
  const { reserved, pressure } = config;
  const milliCpus = Math.round((facts.cpus - amount(reserved.cpu)) * 1000);
  const memory = reading.memoryTotalBytes - amount(reserved.memory) - amount(pressure.memoryAvailable);
  const diskKept = reading.disk.totalBytes * (pressure.diskAvailablePercent / 100);
  const disk = reading.disk.totalBytes - diskKept - amount(reserved.ephemeralStorage);
  return {
    cpu: milliCpus % 1000 === 0 ? String(Math.max(milliCpus, 0) / 1000) : `${Math.max(milliCpus, 0)}m`,
    'ephemeral-storage': String(Math.max(Math.floor(disk), 0)),
    memory: kibibytes(Math.max(memory, 0)),
    pods: String(config.node.maxPods),
  };
}

function kibibytes(bytes: number): string {
  return `${Math.floor(bytes / 1024)}Ki`;
}

/** The configuration was checked: it is a quantity. */
function amount(quantity: string): number {
  return quantityOf(quantity) ?? 0;
}

function nodeConditions(input: NodeBodyInput): readonly NodeCondition[] {
  const { pressures, notReady, readyMessage, previous, nowMs } = input;
  const verdicts = PRESSURES.map((type) => {
    const isPressed = pressures.has(type);
    const [reason, message] = PRESSURE_TEXTS[type][isPressed ? 'yes' : 'no'];
    return { type, status: isPressed ? ('True' as const) : ('False' as const), reason, message };
  });
  const ready =
    notReady === undefined
      ? { type: 'Ready', status: 'True' as const, reason: 'KubeletReady', message: readyMessage }
      : { type: 'Ready', status: 'False' as const, reason: 'KubeletNotReady', message: notReady };
  return [...verdicts, ready].map((condition) => {
    const before = previous.find(({ type }) => type === condition.type);
    const kept = before?.status === condition.status ? before.lastTransitionTime : apiTime(nowMs);
    return { ...condition, lastTransitionTime: kept };
  });
}
