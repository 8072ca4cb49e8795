import type { ContainerConfig, LinuxSecurity, SandboxConfig } from '../../../src/runtime/container-config.ts';

/** What nobody restricts and nobody widens. */
export const PLAIN_SECURITY: LinuxSecurity = {
  privileged: false,
  capabilities: { add: [], drop: [] },
  supplementalGroups: [],
  readOnlyRootFilesystem: false,
  noNewPrivileges: false,
  maskedPaths: [],
  readonlyPaths: [],
  seccomp: { type: 'unconfined' },
};

/** A sandbox on the network of pods, with what is given changed. */
export function sampleSandbox(change: Partial<SandboxConfig> = {}): SandboxConfig {
  return {
    uid: 'uid-1',
    namespace: 'default',
    name: 'web',
    attempt: 0,
    hostname: 'web',
    logDirectory: '/var/log/pods/default_web_uid-1',
    dns: undefined,
    portMappings: [],
    labels: { app: 'web' },
    annotations: { note: 'of the pod' },
    cgroupParent: '',
    sysctls: {},
    namespaces: { network: 'pod', pid: 'container', ipc: 'pod' },
    security: PLAIN_SECURITY,
    resources: {},
    runtimeHandler: '',
    ...change,
  };
}

/** A container that runs a shell, with what is given changed. */
export function sampleContainer(change: Partial<ContainerConfig> = {}): ContainerConfig {
  return {
    name: 'main',
    attempt: 0,
    imageRef: 'hawser.test/busybox:1',
    image: 'hawser.test/busybox:1',
    command: ['/bin/sh', '-c'],
    args: ['trap "exit 0" TERM; sleep 3600 & wait'],
    workingDir: '',
    env: [],
    mounts: [],
    devices: [],
    logPath: 'main/0.log',
    stdin: false,
    stdinOnce: false,
    tty: false,
    namespaces: { network: 'pod', pid: 'container', ipc: 'pod' },
    resources: {},
    security: PLAIN_SECURITY,
    notes: {
      specHash: '1-abc',
      terminationMessagePath: '/dev/termination-log',
      terminationMessagePolicy: 'File',
      terminationMessageFile: '/var/lib/edge/pods/uid-1/containers/main/0',
    },
    ...change,
  };
}
