import path from 'node:path';
import type { Pod } from './pod.ts';

/**
 * Where things of a pod are on the disk. The layout is a kubelet's, so that programs which know it find their way.
 * Nothing here touches the disk. Source: kubelet, kubelet_getters.go.
 */
export class PodFolders {
  /** `<data.dir>/pods`: a folder for each pod UID, mode 0750. */
  readonly root: string;
  /** Of container logs. Default `/var/log/pods`. */
  readonly logRoot: string;

  constructor(options: { readonly dataDir: string; readonly logRoot: string }) {
    this.root = path.join(options.dataDir, 'pods');
    this.logRoot = options.logRoot;
  }

  /** Everything of a pod but its logs. */
  pod(uid: string): string {
    return path.join(this.root, uid);
  }

  /** `volumes/kubernetes.io~<kind>/<name>` of the pod: `configmap`, `secret`, `empty-dir`, `projected`, `downward-api`. */
  volume(uid: string, kind: string, name: string): string {
    return path.join(this.pod(uid), 'volumes', `kubernetes.io~${kind}`, name);
  }

  /** Bind mounts of sub-paths: `volume-subpaths/<volume>/<container>/<index of the mount>`. */
  subPath(uid: string, volume: string, container: string, index: number): string {
    return path.join(this.pod(uid), 'volume-subpaths', volume, container, String(index));
  }

  /** Termination message and the like of one container: `containers/<name>`. */
  container(uid: string, name: string): string {
    return path.join(this.pod(uid), 'containers', name);
  }

  /** The pod's `/etc/hosts`. */
  hosts(uid: string): string {
    return path.join(this.pod(uid), 'etc-hosts');
  }

  /** Logs of a pod's containers: `<namespace>_<name>_<uid>`. */
  logs({ metadata: { namespace, name, uid } }: Pick<Pod, 'metadata'>): string {
    return path.join(this.logRoot, `${namespace}_${name}_${uid}`);
  }

  /** The log of a container, below {@link logs}: `<container>/<attempt>.log`. */
  logPath(container: string, attempt: number): string {
    return path.join(container, `${attempt}.log`);
  }
}
