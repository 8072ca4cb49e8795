import { createHash } from 'node:crypto';
import type { PodConfigs } from '../containers/pod-configs.ts';
import type { LinuxResources, LinuxSecurity, SandboxConfig } from '../runtime/container-config.ts';
import { ContainerError } from './container-error.ts';
import { isSidecar, type PodContainer } from './pod.ts';
import type { PodParts } from './pod-parts.ts';
import type { ImageStore } from '../runtime/image-store.ts';

const NO_SECURITY: LinuxSecurity = {
  privileged: false,
  capabilities: { add: [], drop: [] },
  supplementalGroups: [],
  readOnlyRootFilesystem: false,
  noNewPrivileges: false,
  maskedPaths: [],
  readonlyPaths: [],
  seccomp: { type: 'unconfined' },
};
const NO_RESOURCES: LinuxResources = {};
const POD_NAMESPACES = { network: 'pod', pid: 'container', ipc: 'pod' } as const;

/**
 * What a pod needs where nothing runs: no volumes, no cgroups, no probes and hooks; every image is here, and every
 * container that runs is ready.
 */
export function nullParts(images: ImageStore): PodParts {
  const nothing = (): Promise<void> => Promise.resolve();
  return {
    volumes: {
      start: nothing,
      stop: nothing,
      mount: nothing,
      mounts: () => Promise.resolve([]),
      supplementalGroups: () => [],
      update: () => {},
      unmount: nothing,
      uids: () => Promise.resolve([]),
    },
    images: {
      ensure: async (_pod, { image = '' }) => {
        const present = await images.status(image);
        if (present === undefined)
          throw new ContainerError('ErrImageNeverPull', `image ${image} is not here`);
        return present;
      },
      retryAtMs: () => undefined,
    },
    cgroups: {
      start: nothing,
      ensure: () => Promise.resolve(''),
      remove: nothing,
      uids: () => Promise.resolve([]),
    },
    configs: new NullConfigs(),
    hooks: {
      postStart: nothing,
      preStop: (_pod, _container, _id, _ip, graceSeconds) => Promise.resolve(Math.max(2, graceSeconds)),
    },
    probes: {
      update: () => {},
      verdict: () => ({ started: true, ready: true }),
      remove: () => {},
      listen: () => () => {},
      stop: nothing,
    },
    logTail: () => Promise.resolve(''),
    removeLogs: nothing,
  };
}

/** Init containers are `true`, which ends at once; all others are `pause`, whatever they say. */
class NullConfigs implements PodConfigs {
  refusal(): undefined {
    return undefined;
  }

  sandbox({ metadata }: Parameters<PodConfigs['sandbox']>[0], attempt: number): SandboxConfig {
    const { uid, namespace, name } = metadata;
    return {
      ...{ uid, namespace, name, attempt },
      hostname: name,
      logDirectory: '',
      dns: undefined,
      portMappings: [],
      labels: {},
      annotations: {},
      cgroupParent: '',
      sysctls: {},
      namespaces: POD_NAMESPACES,
      security: NO_SECURITY,
      resources: NO_RESOURCES,
      runtimeHandler: '',
    };
  }

  prepare(): Promise<void> {
    return Promise.resolve();
  }

  environment(): Promise<ReadonlyMap<string, string>> {
    return Promise.resolve(new Map());
  }

  container(input: Parameters<PodConfigs['container']>[0]): ReturnType<PodConfigs['container']> {
    const { pod, container, attempt, image } = input;
    const endsByItself = pod.spec.initContainers?.includes(container) === true && !isSidecar(container);
    return Promise.resolve({
      name: container.name,
      attempt,
      imageRef: image.id,
      image: container.image ?? '',
      command: [endsByItself ? 'true' : 'pause'],
      args: [],
      workingDir: '',
      env: [],
      mounts: [],
      devices: [],
      logPath: '',
      stdin: false,
      stdinOnce: false,
      tty: false,
      namespaces: POD_NAMESPACES,
      resources: NO_RESOURCES,
      security: NO_SECURITY,
      notes: {
        specHash: this.specHash(container),
        terminationMessagePath: '',
        terminationMessagePolicy: 'File',
      },
    });
  }

  specHash({ image = '' }: PodContainer): string {
    return createHash('sha256').update(image).digest('hex').slice(0, 16);
  }
}
