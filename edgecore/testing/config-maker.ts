import type {
  ContainerConfig,
  LinuxSecurity,
  Namespaces,
  SandboxConfig,
} from '../src/runtime/container-config.ts';

const NAMESPACES: Namespaces = { network: 'pod', pid: 'container', ipc: 'pod' };
const SECURITY: LinuxSecurity = {
  privileged: false,
  capabilities: { add: [], drop: [] },
  supplementalGroups: [],
  readOnlyRootFilesystem: false,
  noNewPrivileges: false,
  maskedPaths: [],
  readonlyPaths: [],
  seccomp: { type: 'unconfined' },
};

/** The configuration of a sandbox, with what a test wants of it. */
export function makeSandboxConfig(wish: Partial<SandboxConfig> = {}): SandboxConfig {
  return {
    uid: 'uid-a',
    namespace: 'default',
    name: 'a',
    attempt: 0,
    hostname: 'a',
    logDirectory: '',
    dns: undefined,
    portMappings: [],
    labels: {},
    annotations: {},
    cgroupParent: '',
    sysctls: {},
    namespaces: NAMESPACES,
    security: SECURITY,
    resources: {},
    runtimeHandler: '',
    ...wish,
  };
}

/** The configuration of a container, with what a test wants of it. */
export function makeContainerConfig(wish: Partial<ContainerConfig> = {}): ContainerConfig {
  return {
    name: 'main',
    attempt: 0,
    imageRef: 'sha256:1',
    image: 'registry.example/app:1',
    command: [],
    args: [],
    workingDir: '',
    env: [],
    mounts: [],
    devices: [],
    logPath: '',
    stdin: false,
    stdinOnce: false,
    tty: false,
    namespaces: NAMESPACES,
    resources: {},
    security: SECURITY,
    notes: {
      specHash: 'hash',
      terminationMessagePath: '/dev/termination-log',
      terminationMessagePolicy: 'File',
    },
    ...wish,
  };
}
