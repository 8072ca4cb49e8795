import type { PodCgroups } from '../cgroups/pod-cgroups.ts';
import type { PodConfigs } from '../containers/pod-configs.ts';
import type { ContainerHooks } from '../hooks/container-hooks.ts';
import type { PodImages } from '../images/pod-images.ts';
import type { PodProbes } from '../probes/pod-probes.ts';
import type { PodVolumes } from '../volumes/pod-volumes.ts';
import type { LogTail } from './termination-messages.ts';

/** Everything that a pod needs beside a runtime. */
export interface PodParts {
  readonly volumes: PodVolumes;
  readonly images: PodImages;
  readonly cgroups: PodCgroups;
  readonly configs: PodConfigs;
  readonly hooks: ContainerHooks;
  readonly probes: PodProbes;
  readonly logTail: LogTail;
  /** Removes the logs of all containers of a pod, by its UID. Not there: nothing to do. */
  readonly removeLogs: (uid: string) => Promise<void>;
}
