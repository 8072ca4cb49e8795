import type { Pod } from '../pods/pod.ts';
import type { PodStatus } from '../pods/pod-status-types.ts';
import type { RuntimePod } from '../runtime/container-runtime.ts';

/** The pods that the node shall run, each with its status. Source: kubelet, server.go getPods: core/v1 PodList. */
export function podList(pods: readonly Pod[], statusOf: (uid: string) => PodStatus | undefined): object {
  return list(pods.map((pod) => ({ ...pod, status: statusOf(pod.metadata.uid) ?? {} })));
}

/** The pods that have a container which runs, as the runtime has them. Source: kubelet, getRunningPods and ToAPIPod. */
export function runningPodList(pods: readonly RuntimePod[]): object {
  const running = pods
    .map((pod) => ({ ...pod, containers: pod.containers.filter(({ state }) => state === 'running') }))
    .filter(({ containers }) => containers.length > 0);
  return list(
    running.map(({ uid, name, namespace, containers }) => ({
      metadata: { name, namespace, uid },
      spec: { containers: containers.map(({ name, image }) => ({ name, image, resources: {} })) },
      status: {},
    })),
  );
}

function list(items: readonly object[]): object {
  return { kind: 'PodList', apiVersion: 'v1', metadata: {}, items };
}
