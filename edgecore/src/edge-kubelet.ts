import { STREAM_KINDS } from '@hawser/proto';
import type { Clock, Logger } from '@hawser/seams';
import type { EdgeConfig } from './config/options.ts';
import type { EdgeLocal } from './edge-local.ts';
import type { StreamHandler } from './hub/stream-dispatch.ts';
import { KubeletApi } from './kubelet/kubelet-api.ts';
import { KubeletStats } from './kubelet/stats/kubelet-stats.ts';
import { StreamServer } from './kubelet/stream-server.ts';
import { PodFolders } from './pods/pod-folders.ts';

/** What {@link makeKubelet} needs. */
export interface EdgeKubeletOptions {
  /** Name of the node. */
  readonly node: string;
  readonly config: EdgeConfig;
  readonly local: Pick<EdgeLocal, 'pods' | 'statuses' | 'runtime' | 'machine'>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The kubelet API of this node, and the two ways to it. */
export interface EdgeKubelet {
  /** For the admin socket. */
  readonly api: KubeletApi;
  /** For streams that the hub opens. */
  readonly streams: ReadonlyMap<string, StreamHandler>;
  /** Ends every request that goes on. Idempotent. */
  stop(): void;
}

/** Makes the kubelet API over what is here without a hub. */
export function makeKubelet(options: EdgeKubeletOptions): EdgeKubelet {
  const { node, config, local, clock } = options;
  const { runtime, machine, statuses } = local;
  const log = options.log.child({ component: 'kubelet' });
  const pods = (): ReturnType<EdgeLocal['pods']['pods']> => local.pods.pods();
  const folders = new PodFolders({ dataDir: config.data.dir, logRoot: config.pods.logDir });
  const stats = new KubeletStats({ node, machine, runtime, pods, folders, clock });
  const statusOf = (uid: string): ReturnType<typeof statuses.get> => statuses.get(uid);
  const api = new KubeletApi({ pods, statusOf, runtime, stats, clock, log });
  const server = new StreamServer({ handler: api, ...config.kubelet, clock, log });
  return {
    api,
    streams: new Map([[STREAM_KINDS.kubelet, (stream) => server.accept(stream)]]),
    stop: () => {
      api.stop();
      server.stop();
    },
  };
}
