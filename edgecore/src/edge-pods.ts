import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { CgroupManager } from './cgroups/cgroup-manager.ts';
import { shareOfPods } from './cgroups/share-of-pods.ts';
import { ContainerCollector } from './collection/container-collector.ts';
import { LogRotator } from './container-logs/log-rotator.ts';
import { tailOfLog } from './container-logs/tail-of-log.ts';
import { readNodeTraits } from './containers/node-traits.ts';
import { PodConfigurator } from './containers/pod-configurator.ts';
import type { EdgePodsOptions, EdgePods } from './edge-pods-types.ts';
import { HookRunner } from './hooks/hook-runner.ts';
import { ImageCollector } from './images/image-collector.ts';
import { ImageManager } from './images/image-manager.ts';
import { ImageRuns } from './images/image-runs.ts';
import { nodeImages, type NodeImage } from './images/node-images.ts';
import { ReplicaObjects } from './objects/replica-objects.ts';
import { podKeeperMetrics } from './pod-keeper-metrics.ts';
import { PodFolders } from './pods/pod-folders.ts';
import { ProbeManager } from './probes/probe-manager.ts';
import { IdleMounter } from './volumes/mounter.ts';
import { VolumeManager } from './volumes/volume-manager.ts';

/**
 * Makes what pods need where containers really run, and what keeps the node tidy. Loaded where it is used only: an
 * edge whose runtime runs nothing has no place for it in its memory.
 */
export function makeEdgePods(options: EdgePodsOptions): EdgePods {
  const { node, config, store, scope, state, events, runtime, statuses, hostIps, allocatable, clock, log } =
    options;
  const folders = new PodFolders({ dataDir: config.data.dir, logRoot: config.pods.logDir });
  const objects = new ReplicaObjects({
    replica: store.replica,
    scope,
    isLost: (key) => store.lost(scope).has(key),
  });
  const volumes = new VolumeManager({
    ...{ node, folders, objects, allocatable, clock },
    apiForPods: options.apiForPods,
    tokens: { get: (...wish) => options.tokens().get(...wish) },
    ...(runtime.traits?.needsMounts === false && process.geteuid?.() !== 0 && { mounter: new IdleMounter() }),
    onSource: (uid) => options.wake(uid),
    onOverLimit: (uid, message) => options.evict(uid, message),
    recursiveReadOnly: ({ spec: { runtimeClassName = '' } }) =>
      runtime.hasRecursiveReadOnly?.(config.pods.runtimeClasses[runtimeClassName] ?? '') ?? false,
    log: log.child({ component: 'volumes' }),
  });
  const runs = new ImageRuns(state, log);
  const images = new ImageManager({
    ...{ images: runtime.images, objects, events, runs, clock },
    parallelPulls: config.pods.parallelPulls,
    onPulled: () => imageCollector.lookSoon(),
    onPull: (result) => pulls.inc({ result }),
    log: log.child({ component: 'images' }),
  });
  const cgroups = new CgroupManager({
    driver: runtime.traits?.usesCgroups === false ? 'none' : config.pods.cgroupDriver,
    root: config.pods.cgroupRoot,
    marksDir: path.join(config.data.dir, 'cgroups'),
    allocatable: () => shareOfPods(allocatable(), config.pressure),
    clock,
    log: log.child({ component: 'cgroups' }),
  });
  const configs = new PodConfigurator({
    ...{ config: config.pods, objects, folders, events, hostIps, allocatable },
    apiForPods: options.apiForPods,
    traits: readNodeTraits(),
  });
  const hooks = new HookRunner({ runtime, events, clock, log: log.child({ component: 'hooks' }) });
  const probes = new ProbeManager({
    ...{ runtime, events, hostIps, clock },
    lastStatus: (uid, container) => {
      const status = statuses.get(uid);
      const all = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])];
      return all.find(({ name }) => name === container);
    },
    log: log.child({ component: 'probes' }),
  });
  let present: readonly NodeImage[] = [];
  const imageCollector = new ImageCollector({
    ...{ runtime, runs, clock, ...config.images },
    pods: () => Promise.resolve(options.allPods()),
    onImages: (found) => {
      present = nodeImages(found);
      options.onNode();
    },
    onFailure: (message) => options.onNodeEvent('ImageGCFailed', message),
    log: log.child({ component: 'images' }),
  });
  const rotator = new LogRotator({
    ...{ runtime, clock },
    maxBytes: config.pods.logMaxBytes,
    maxFiles: config.pods.logMaxFiles,
    log: log.child({ component: 'logs' }),
  });
  const containerCollector = new ContainerCollector({
    ...{ runtime, clock },
    periodMs: config.pods.collectPeriodMs,
    log: log.child({ component: 'collection' }),
  });
  const keepers = [imageCollector, rotator, containerCollector];
  const pulls = podKeeperMetrics(options.registry, {
    rotations: () => rotator.rotations,
    containers: () => containerCollector.removed,
    images: () => imageCollector.removed,
    imageBytes: () => imageCollector.removedBytes,
  });
  return {
    parts: {
      ...{ volumes, images, cgroups, configs, hooks, probes },
      logTail: tailOfLog,
      removeLogs: (uid) => removeLogs(folders.logRoot, uid),
    },
    images: () => present,
    tokenChanged: (uid) => volumes.tokenChanged(uid),
    start: () => {
      for (const keeper of keepers) keeper.start();
    },
    stop: async () => {
      for (const keeper of keepers) await keeper.stop();
    },
  };
}

/** The folder is named for the pod, whose object may be gone: its UID is the end of the name. */
async function removeLogs(root: string, uid: string): Promise<void> {
  const names = await readdir(root).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  });
  for (const name of names.filter((each) => each.endsWith(`_${uid}`)))
    await rm(path.join(root, name), { recursive: true, force: true });
}
