/** A mount of a container, resolved to a path of the host. Source: CRI v1 Mount. */
export interface ContainerMount {
  readonly hostPath: string;
  readonly containerPath: string;
  /** Default false. */
  readonly readOnly?: boolean;
  readonly recursiveReadOnly?: boolean;
  /** Default `private`. */
  readonly propagation?: 'private' | 'host-to-container' | 'bidirectional';
}

/** A device of the host in a container. Source: CRI v1 Device. */
export interface ContainerDevice {
  readonly hostPath: string;
  readonly containerPath: string;
  /** `rwm`. */
  readonly permissions: string;
}

/** What processes may share with the host, or within the pod. Source: CRI v1 NamespaceOption. */
export interface Namespaces {
  readonly network: 'pod' | 'node';
  readonly pid: 'pod' | 'container' | 'node';
  readonly ipc: 'pod' | 'node';
}

/** A profile of seccomp or AppArmor. Source: CRI v1 SecurityProfile. */
export interface SecurityProfile {
  readonly type: 'runtime-default' | 'unconfined' | 'localhost';
  /** Of `localhost`: absolute path (seccomp) or name (AppArmor). */
  readonly localhost?: string;
}

/** Values of the cgroup of a container, and of its oom killer. Source: CRI v1 LinuxContainerResources. */
export interface LinuxResources {
  /** Microseconds. */
  readonly cpuPeriod?: number;
  /** Microseconds in a period; absent: no limit. */
  readonly cpuQuota?: number;
  readonly cpuShares?: number;
  readonly memoryLimitBytes?: number;
  /** −1000 to 1000. */
  readonly oomScoreAdj?: number;
  readonly hugepageLimits?: readonly { readonly pageSize: string; readonly limit: number }[];
  /** Further keys of cgroup v2, such as `memory.oom.group`. */
  readonly unified?: Readonly<Record<string, string>>;
}

/** What a process may do. Source: CRI v1 LinuxContainerSecurityContext. */
export interface LinuxSecurity {
  readonly privileged: boolean;
  readonly capabilities: { readonly add: readonly string[]; readonly drop: readonly string[] };
  readonly runAsUser?: number;
  /** Name, where only the image's user name is known. */
  readonly runAsUsername?: string;
  readonly runAsGroup?: number;
  readonly supplementalGroups: readonly number[];
  readonly readOnlyRootFilesystem: boolean;
  readonly noNewPrivileges: boolean;
  readonly maskedPaths: readonly string[];
  readonly readonlyPaths: readonly string[];
  readonly seccomp: SecurityProfile;
  readonly appArmor?: SecurityProfile;
  readonly seLinux?: {
    readonly user: string;
    readonly role: string;
    readonly type: string;
    readonly level: string;
  };
}

/** A container, ready to be made: everything of the pod that matters is resolved. Source: CRI v1 ContainerConfig. */
export interface ContainerConfig {
  readonly name: string;
  /** 0 for the first one of that name in the pod, one more with each restart. */
  readonly attempt: number;
  /** What the runtime calls the image: from `ImageStore.status`. */
  readonly imageRef: string;
  /** The image as the pod's spec names it. */
  readonly image: string;
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly workingDir: string;
  readonly env: readonly { readonly key: string; readonly value: string }[];
  readonly mounts: readonly ContainerMount[];
  readonly devices: readonly ContainerDevice[];
  /** Path of the log below the sandbox's `logDirectory`: `<container>/<attempt>.log`. */
  readonly logPath: string;
  readonly stdin: boolean;
  readonly stdinOnce: boolean;
  readonly tty: boolean;
  readonly namespaces: Namespaces;
  readonly resources: LinuxResources;
  readonly security: LinuxSecurity;
  /** Kept by the runtime with the container, and read back from it: see {@link ContainerNotes}. */
  readonly notes: ContainerNotes;
}

/**
 * What this edge has to know about a container that it made, after a restart too; a runtime keeps it as annotations.
 */
export interface ContainerNotes {
  /** Of the part of the spec that a running container cannot take over: another one → the container is made anew. */
  readonly specHash: string;
  /** Path inside of the container. */
  readonly terminationMessagePath: string;
  readonly terminationMessagePolicy: string;
  /** File on the host that is mounted there; absent: none. */
  readonly terminationMessageFile?: string;
}

/** A port of the pod on the host. */
export interface PortMapping {
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
  readonly containerPort: number;
  readonly hostPort: number;
  readonly hostIp: string;
}

/** A sandbox, ready to be made. Source: CRI v1 PodSandboxConfig. */
export interface SandboxConfig {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  /** 0 for the first one of the pod, one more each time it is made anew. */
  readonly attempt: number;
  /** Empty on the host's network. */
  readonly hostname: string;
  /** Folder of the logs of its containers. */
  readonly logDirectory: string;
  /** undefined: as the host's. */
  readonly dns:
    | {
        readonly servers: readonly string[];
        readonly searches: readonly string[];
        readonly options: readonly string[];
      }
    | undefined;
  readonly portMappings: readonly PortMapping[];
  /** Ports that containers say to listen on, whatever the host has. Default: none are known. */
  readonly containerPorts?: readonly {
    readonly protocol: PortMapping['protocol'];
    readonly port: number;
  }[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Path of the pod's cgroup, empty: the runtime's own. */
  readonly cgroupParent: string;
  readonly sysctls: Readonly<Record<string, string>>;
  readonly namespaces: Namespaces;
  readonly security: LinuxSecurity;
  readonly resources: LinuxResources;
  /** Empty: the runtime's default. */
  readonly runtimeHandler: string;
}
