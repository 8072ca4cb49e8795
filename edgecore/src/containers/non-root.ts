import { ContainerError } from '../pods/container-error.ts';
import type { Pod, PodContainer } from '../pods/pod.ts';
import type { RuntimeImage } from '../runtime/image-store.ts';
import { podLabel } from './pod-label.ts';

/** Largest user id of Kubernetes. */
const MAX_UID = 2 ** 31 - 1;

/**
 * Holds a container to its `runAsNonRoot`. A user that the image only names might be root by another name.
 * @throws ContainerError `CreateContainerConfigError`
 * Source: kubelet, kuberuntime/security_context_others.go verifyRunAsNonRoot.
 */
export function checkNonRoot(
  pod: Pod,
  container: PodContainer,
  image: Pick<RuntimeImage, 'uid' | 'username'>,
): void {
  const ofPod = pod.spec.securityContext ?? {};
  const own = container.securityContext ?? {};
  if ((own.runAsNonRoot ?? ofPod.runAsNonRoot) !== true) return;
  const problem = problemOf(own.runAsUser ?? ofPod.runAsUser, image);
  if (problem === undefined) return;
  throw new ContainerError(
    'CreateContainerConfigError',
    `${problem} (pod: "${podLabel(pod)}", container: ${container.name})`,
  );
}

function problemOf(
  runAsUser: number | undefined,
  { uid, username = '' }: Pick<RuntimeImage, 'uid' | 'username'>,
): string | undefined {
  if (runAsUser !== undefined) {
    return runAsUser === 0 ? "container's runAsUser breaks non-root policy" : undefined;
  }
  if (uid === undefined && username !== '') {
    return `container has runAsNonRoot and image has non-numeric user (${username}), cannot verify user is non-root`;
  }
  if ((uid ?? 0) === 0) return 'container has runAsNonRoot and image will run as root';
  if (uid !== undefined && (uid < 0 || uid > MAX_UID)) {
    return `container has runAsNonRoot and image has an invalid user id (${uid}). (Must be 1-(${MAX_UID}))`;
  }
  return undefined;
}
