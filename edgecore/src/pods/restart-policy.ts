import { isSidecar, type Pod, type PodContainer } from './pod.ts';

/**
 * Whether a container that has exited is started again: a rule of its own for the exit code, its own policy, that of
 * the pod. An init container is asked only after a failure. Source: KEP-5307; kubelet, ContainerShouldRestart.
 */
export function restartsAfter(pod: Pod, container: PodContainer, exitCode: number): boolean {
  if (isSidecar(container)) return true;
  const isMatched = container.restartPolicyRules?.some(
    ({ action, exitCodes }) =>
      action === 'Restart' &&
      exitCodes !== undefined &&
      exitCodes.values?.includes(exitCode) === (exitCodes.operator === 'In'),
  );
  if (container.restartPolicy !== undefined && isMatched === true) return true;
  switch (container.restartPolicy ?? pod.spec.restartPolicy ?? 'Always') {
    case 'Never':
      return false;
    case 'OnFailure':
      return exitCode !== 0;
    default:
      return true;
  }
}

/** Whether something of a pod may be started again after it failed. Source: kubelet, shouldRestartOnFailure. */
export function mayRestart(pod: Pod): boolean {
  if ((pod.spec.restartPolicy ?? 'Always') !== 'Never') return true;
  return pod.spec.containers.some(
    ({ restartPolicy, restartPolicyRules }) =>
      (restartPolicy !== undefined && restartPolicy !== 'Never') || (restartPolicyRules?.length ?? 0) > 0,
  );
}
