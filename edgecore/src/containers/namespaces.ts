import type { PodSpec } from '../pods/pod.ts';
import type { Namespaces } from '../runtime/container-config.ts';

/** What the processes of a pod share. Source: kubelet, kuberuntime/util NamespacesForPod. */
export function namespacesOf(spec: PodSpec): Namespaces {
  return {
    network: spec.hostNetwork === true ? 'node' : 'pod',
    ipc: spec.hostIPC === true ? 'node' : 'pod',
    pid: spec.hostPID === true ? 'node' : spec.shareProcessNamespace === true ? 'pod' : 'container',
  };
}
