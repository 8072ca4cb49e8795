import { delay, type Clock } from '@hawser/seams';
import type { ContainerRuntime, RuntimePod } from '../runtime/container-runtime.ts';

/** Whether something of a pod has ended of which not all is known yet: `RuntimeContainer.ended`. */
export function isSettling(pod: RuntimePod | undefined): boolean {
  return pod?.containers.some(({ ended }) => ended !== undefined) === true;
}

/**
 * A pod once all is known of what has ended in it, looked at every now and then, the first time after `everyMs`.
 * undefined: the signal came before. Rejects as `ContainerRuntime.get`.
 */
export async function untilSettled(
  {
    uid,
    runtime,
    clock,
  }: { readonly uid: string; readonly runtime: ContainerRuntime; readonly clock: Clock },
  everyMs: number,
  signal: AbortSignal,
): Promise<RuntimePod | undefined> {
  for (;;) {
    try {
      await delay(everyMs, { clock, signal });
    } catch {
      return undefined; // the signal's reason, and nothing else
    }
    const pod = await runtime.get(uid);
    if (signal.aborted) return undefined;
    if (!isSettling(pod)) return pod;
  }
}
