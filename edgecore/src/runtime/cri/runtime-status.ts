import type { CriClient } from '../../cri/cri-client.ts';
import type { ContainerUsage, RuntimeCondition } from '../container-runtime.ts';
import { RuntimeError } from '../runtime-error.ts';
import { LABELS, labelSelector } from './labels.ts';

const NANOS_PER_MS = 1e6;
/** For questions that a runtime which is well answers at once. */
const ASK_TIMEOUT_MS = 10_000;

/** Who a runtime is. */
export interface RuntimeIdentity {
  /** `containerd`, `cri-o`. */
  readonly name: string;
  /** `1.6.20`. */
  readonly version: string;
  /** Handlers that can make a mount and what is mounted below it read-only; '' is the default one. */
  readonly recursiveReadOnly: ReadonlySet<string>;
}

/** Asks a runtime who it is and what it can do. */
export async function identify(client: CriClient, signal: AbortSignal): Promise<RuntimeIdentity> {
  const options = { timeoutMs: ASK_TIMEOUT_MS, signal };
  const [{ runtimeName, runtimeVersion }, { runtimeHandlers }] = await Promise.all([
    client.call('Version', {}, options),
    client.call('Status', {}, options),
  ]);
  const recursiveReadOnly = runtimeHandlers.filter(
    ({ features }) => features?.recursiveReadOnlyMounts === true,
  );
  return {
    name: runtimeName,
    version: runtimeVersion,
    recursiveReadOnly: new Set(recursiveReadOnly.map(({ name }) => name)),
  };
}

/** What a runtime says of itself; one that does not answer is not ready, and neither is its network. */
export async function runtimeConditions(client: CriClient): Promise<readonly RuntimeCondition[]> {
  try {
    const { status } = await client.call('Status', {}, { timeoutMs: ASK_TIMEOUT_MS });
    const conditions = status?.conditions ?? [];
    return conditions.map(({ type, status: ok, reason, message }) => ({ type, ok, reason, message }));
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    const away = { ok: false, reason: 'ContainerRuntimeUnreachable', message: error.message };
    return [
      { type: 'RuntimeReady', ...away },
      { type: 'NetworkReady', ...away },
    ];
  }
}

/** What our running containers use. */
export async function usageOf(
  client: CriClient,
  owner: string,
  signal: AbortSignal,
): Promise<readonly ContainerUsage[]> {
  const filter = { labelSelector: labelSelector(owner) };
  const { stats } = await client.call('ListContainerStats', { filter }, { signal });
  return stats.flatMap(({ attributes, cpu, memory, writableLayer }) => {
    // One that has just ended comes without figures.
    if (attributes === undefined || cpu === undefined) return [];
    return {
      podUid: attributes.labels[LABELS.podUid] ?? '',
      name: attributes.metadata?.name ?? '',
      id: attributes.id,
      atMs: Math.floor(cpu.timestamp / NANOS_PER_MS),
      cpuNanos: cpu.usageCoreNanoSeconds?.value ?? 0,
      memoryWorkingSetBytes: memory?.workingSetBytes?.value ?? 0,
      diskBytes: writableLayer?.usedBytes?.value ?? 0,
      diskInodes: writableLayer?.inodesUsed?.value ?? 0,
    };
  });
}
