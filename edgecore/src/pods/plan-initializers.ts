import type { RuntimeContainer } from '../runtime/container-runtime.ts';
import type { PlanDraft } from './plan-draft.ts';
import { isSidecar, type PodContainer } from './pod.ts';
import { restartsAfter } from './restart-policy.ts';

/**
 * Sees to the init containers; answers whether the containers may start. Only what is in the present sandbox counts: a
 * new sandbox is initialized anew. Dead ones may have been collected: the last one that is there says how far it got,
 * and once a container was made, all of them were done. Sidecars are kept running all the time.
 * Source: kubelet, computeInitContainerActions; KEP-753.
 */
export function planInitializers(draft: PlanDraft): boolean {
  const { pod } = draft.input;
  const all = pod.spec.initContainers ?? [];
  let hasInitialized = pod.spec.containers.some(({ name }) => draft.present(name) !== undefined);
  const reached = hasInitialized
    ? all.length
    : all.findLastIndex(({ name }) => draft.present(name) !== undefined);
  // Sidecars that come before what it has reached have started once.
  all.forEach((container, index) => {
    if (index < reached && isSidecar(container)) keepSidecar(container, draft);
  });
  if (hasInitialized) return true;
  const container = all[reached];
  const present = container && draft.present(container.name);
  if (container !== undefined && present !== undefined) {
    if (!isDone(container, present, draft)) return false;
    hasInitialized = reached === all.length - 1;
  }
  const next = all[reached + 1];
  if (next !== undefined) draft.start(next);
  return next === undefined && (hasInitialized || all.length === 0);
}

/** Whether the next one may start. Brings this one there, where it can. */
function isDone(container: PodContainer, present: RuntimeContainer, draft: PlanDraft): boolean {
  const { pod, verdict } = draft.input;
  if (isSidecar(container)) {
    keepSidecar(container, draft);
    return present.state === 'running' && verdict(container.name, present.id).started;
  }
  if (present.state === 'running') return false;
  if (present.state === 'exited' && present.exitCode === 0) return true;
  const willRestart = draft.restart(
    container,
    present,
    restartsAfter(pod, container, present.exitCode ?? LOST_EXIT_CODE),
  );
  if (!willRestart) draft.endPod({});
  return false;
}

/** Of a container whose end nobody saw: as one that was killed. */
const LOST_EXIT_CODE = 137;

function keepSidecar(container: PodContainer, draft: PlanDraft): void {
  const { verdict, specHash } = draft.input;
  const present = draft.present(container.name);
  if (present === undefined) {
    draft.start(container);
  } else if (present.state !== 'running') {
    draft.restart(container, present, true);
  } else if (present.notes.specHash !== specHash(container)) {
    draft.kill(present, `Init container ${container.name} definition changed`);
    draft.start(container, true);
  } else {
    const { kill } = verdict(container.name, present.id);
    if (kill !== undefined)
      draft.kill(present, kill.message.replace(/^Container/, 'Init container'), kill.graceSeconds);
  }
}
