import { DEVICE_OPTIONS } from './device-options.ts';
import { DMI_OPTIONS } from './dmi-options.ts';
import { EVENT_BUS_OPTIONS } from './event-bus-options.ts';
import { DNS_OPTIONS } from './dns-options.ts';
import { HEARTBEAT_RANGE } from './heartbeat-range.ts';
import { LOCAL_API_OPTIONS } from './local-api-options.ts';
import type { ConfigOf, PartialConfigOf, OptionTable } from './option.ts';
import { POOL_OPTIONS } from './pool-options.ts';
import { LOG_FORMATS, LOG_LEVELS } from '../log/json-logger.ts';

const QUANTITY = {
  source: '^\\d+(\\.\\d+)?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$',
  is: 'a Kubernetes quantity (`100m`, `0.5`, `256Mi`)',
} as const;
const NODE_NAME = {
  source: '^$|^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$',
  is: 'a lower-case DNS name',
} as const;
/** IPv4 exactly; of IPv6 that it can be nothing else. */
const IP =
  '(((25[0-5]|2[0-4]\\d|1?\\d?\\d)(\\.(25[0-5]|2[0-4]\\d|1?\\d?\\d)){3})|([0-9A-Fa-f]{0,4}:[0-9A-Fa-f:.]+))';
const ABSOLUTE_PATH = { source: '^/', is: 'an absolute path' } as const;
const LABEL_VALUE = {
  source: '^$|^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$',
  is: 'a label value of Kubernetes',
} as const;

/** Source of the second part: validate-npm-package-name, of new packages. */
const RUNTIME = {
  source: '^(/.+|(@[a-z0-9][-a-z0-9._]*/)?[a-z0-9][-a-z0-9._]*)$',
  is: '`cri`, `process`, `null`, the name of a package, or an absolute path',
} as const;

const MINUTE_MS = 60_000;

/** Every option of the edge core. The reference page is made from this table by `optionRows`. */
export const EDGE_OPTIONS = {
  node: {
    name: {
      kind: 'text',
      default: '',
      flag: 'node-name',
      pattern: NODE_NAME,
      meaning: 'Name of the node. Empty: the one in its certificate.',
    },
    ip: {
      kind: 'text',
      default: '',
      flag: 'node-ip',
      pattern: { source: '^$|^[0-9.]+$|^[0-9A-Fa-f:.]+$', is: 'an IP address' },
      meaning:
        'Address that the node reports as its own. Empty: that of the interface with the default route.',
    },
    labels: {
      kind: 'map',
      default: {},
      pattern: LABEL_VALUE,
      meaning: 'Labels of the node, beside those that every node has.',
    },
    annotations: { kind: 'map', default: {}, meaning: 'Annotations of the node.' },
    taints: {
      kind: 'taints',
      default: [],
      meaning: 'Taints that the node is registered with. Later changes of them are made in the cloud.',
    },
    maxPods: {
      kind: 'number',
      default: 110,
      min: 1,
      max: 1000,
      unit: 'pods',
      meaning: 'Pods that fit on the node.',
    },
    statusPeriodMs: {
      kind: 'number',
      default: 10_000,
      min: 1_000,
      max: 10 * MINUTE_MS,
      unit: 'ms',
      meaning: 'How often the node looks at itself. It reports only what changed.',
    },
  },
  reserved: {
    cpu: {
      kind: 'text',
      default: '0',
      pattern: QUANTITY,
      unit: 'cores',
      meaning: 'Kept from pods for the system: allocatable is smaller by that.',
    },
    memory: {
      kind: 'text',
      default: '0',
      pattern: QUANTITY,
      unit: 'bytes',
      meaning: 'Kept from pods for the system, beside what pressure.memoryAvailable keeps free.',
    },
    ephemeralStorage: {
      kind: 'text',
      default: '0',
      pattern: QUANTITY,
      unit: 'bytes',
      meaning: 'Kept from pods for the system, beside what pressure.diskAvailablePercent keeps free.',
    },
  },
  pressure: {
    memoryAvailable: {
      kind: 'text',
      default: '100Mi',
      pattern: QUANTITY,
      unit: 'bytes',
      meaning: 'With less memory available the node is under memory pressure.',
    },
    diskAvailablePercent: {
      kind: 'number',
      default: 10,
      min: 0,
      max: 90,
      unit: '%',
      meaning: 'With a smaller part of its disk available the node is under disk pressure.',
    },
    inodesFreePercent: {
      kind: 'number',
      default: 5,
      min: 0,
      max: 90,
      unit: '%',
      meaning: 'With a smaller part of its inodes free the node is under disk pressure.',
    },
    pidsAvailablePercent: {
      kind: 'number',
      default: 5,
      min: 0,
      max: 90,
      unit: '%',
      meaning: 'With a smaller part of its process numbers free the node is under PID pressure.',
    },
    transitionMs: {
      kind: 'number',
      default: 5 * MINUTE_MS,
      min: 0,
      max: 60 * MINUTE_MS,
      unit: 'ms',
      meaning: 'How long a pressure has to be away before its condition says so.',
    },
  },
  hub: {
    address: {
      kind: 'text',
      default: '',
      flag: 'hub',
      pattern: {
        source: '^$|^[^\\s:/]+$|^[^\\s:/]+:\\d{1,5}$|^\\[[0-9A-Fa-f:.]+\\](:\\d{1,5})?$',
        is: '`host`, `host:port` or `[address]:port`',
      },
      meaning:
        'Name or address of the hub and its port for WebSocket (default 10000). Empty: none, the node works alone.',
    },
    quicPort: {
      kind: 'number',
      default: 10_001,
      min: 1,
      max: 65_535,
      unit: 'port',
      meaning: 'UDP port of the hub for QUIC.',
    },
    webTransportPort: {
      kind: 'number',
      default: 10_003,
      min: 1,
      max: 65_535,
      unit: 'port',
      meaning: 'TCP port of the hub for WebTransport (experimental).',
    },
    transport: {
      kind: 'choice',
      default: 'ws',
      choices: ['ws', 'quic', 'webtransport', 'auto'],
      flag: 'transport',
      meaning:
        'How to connect. `auto` tries QUIC first, and WebSocket after 3 s without an answer. `webtransport` is experimental, for networks that let only HTTP/2 through; the hub has to have `listen.webTransportPort`.',
    },
    heartbeatMs: {
      kind: 'number',
      default: HEARTBEAT_RANGE.default,
      min: HEARTBEAT_RANGE.min,
      max: HEARTBEAT_RANGE.max,
      unit: 'ms',
      meaning:
        'Time between signs of life that the edge would like; the shorter wish of the two sides counts.',
    },
  },
  data: {
    dir: {
      kind: 'text',
      default: '/var/lib/hawser/edge',
      flag: 'data-dir',
      pattern: ABSOLUTE_PATH,
      meaning: 'Folder of the store and the identity; made if it is not there (mode 0700).',
    },
  },
  admin: {
    socket: {
      kind: 'text',
      default: '/run/hawser/edgecore.sock',
      flag: 'socket',
      pattern: ABSOLUTE_PATH,
      meaning: 'Unix socket for `hawser` on this machine (mode 0600).',
    },
  },
  pods: {
    runtime: {
      kind: 'text',
      default: 'cri',
      choices: ['cri', 'process', 'null'],
      pattern: RUNTIME,
      flag: 'runtime',
      meaning:
        'What runs pods. `cri`: a container runtime that speaks CRI v1. `process`: processes of this host, without isolation, for machines without a container runtime or without root. `null` runs nothing and reports pods as running: for tests and measurements. Anything else: a package, or the absolute path of a module, that makes a runtime.',
    },
    runtimeOptions: {
      kind: 'free',
      default: {},
      meaning: 'Options of the runtime, where it is neither `cri` nor `null`: see runtimes.md.',
    },
    runtimeEndpoint: {
      kind: 'text',
      default: 'unix:///run/containerd/containerd.sock',
      flag: 'runtime-endpoint',
      pattern: { source: '^(unix://)?/.+', is: 'a unix socket: `unix:///path` or `/path`' },
      meaning: 'Socket of the container runtime.',
    },
    logDir: {
      kind: 'text',
      default: '/var/log/pods',
      pattern: ABSOLUTE_PATH,
      meaning: 'Folder of the logs of containers; made if it is not there.',
    },
    cgroupDriver: {
      kind: 'choice',
      default: 'cgroupfs',
      choices: ['cgroupfs', 'none'],
      meaning:
        'Who makes the cgroups of pods. `cgroupfs`: this program, below `kubepods`, for a runtime with the driver cgroupfs. `none`: the runtime where it likes, without limits of whole pods; needed for a runtime with the driver systemd.',
    },
    cgroupRoot: {
      kind: 'text',
      default: '',
      pattern: {
        source: '^$|^(/(?!\\.{1,2}(/|$))[^/\\s]+)+$',
        is: 'an absolute path without a slash at its end',
      },
      meaning: 'Cgroup that `kubepods` is made in. Empty: the uppermost.',
    },
    clusterDns: {
      kind: 'text',
      default: '',
      pattern: { source: `^$|^${IP}(,${IP})*$`, is: 'IP addresses, with commas between them' },
      meaning:
        'Addresses of the cluster’s DNS, for pods of policy ClusterFirst. Empty: they look up names as the host does.',
    },
    clusterDomain: {
      kind: 'text',
      default: 'cluster.local',
      pattern: {
        source: '^$|^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$',
        is: 'a lower-case DNS name',
      },
      meaning: 'Domain of the cluster: in the full names of pods, and in their search paths.',
    },
    resolvConf: {
      kind: 'text',
      default: '/etc/resolv.conf',
      pattern: { source: '^$|^/', is: 'an absolute path' },
      meaning:
        'How the host looks up names, for pods that do as the host. Where the default names only servers of this machine, the file of systemd-resolved is taken. Empty: nothing of the host.',
    },
    runtimeClasses: {
      kind: 'map',
      default: {},
      meaning: 'Handlers of the runtime by the name of the runtime class. Pods of other classes are refused.',
    },
    seccompDefault: {
      kind: 'choice',
      default: 'Unconfined',
      choices: ['Unconfined', 'RuntimeDefault'],
      meaning: 'Seccomp profile of containers that ask for none.',
    },
    seccompRoot: {
      kind: 'text',
      default: '/var/lib/kubelet/seccomp',
      pattern: ABSOLUTE_PATH,
      meaning: 'Folder of the seccomp profiles that pods name.',
    },
    collectPeriodMs: {
      kind: 'number',
      default: MINUTE_MS,
      min: 1_000,
      max: 60 * MINUTE_MS,
      unit: 'ms',
      meaning:
        'How often dead containers are removed, with their logs. The latest dead one of each container stays.',
    },
    logMaxBytes: {
      kind: 'number',
      default: 10 * 1024 * 1024,
      min: 16 * 1024,
      max: 1024 * 1024 * 1024,
      unit: 'bytes',
      meaning: 'A container’s log of that size is moved away, and another one begun.',
    },
    logMaxFiles: {
      kind: 'number',
      default: 5,
      min: 2,
      max: 100,
      unit: 'files',
      meaning:
        'Log files of a container, the present one included. Older ones are removed; all but the latest two are packed (gzip).',
    },
    parallelStarts: {
      kind: 'number',
      default: 10,
      min: 1,
      max: 1000,
      unit: 'pods',
      meaning:
        'Pods whose sandbox is made at the same time, the others in the order in which they came: after a power cut all of them start at once.',
    },
    parallelPulls: {
      kind: 'number',
      default: 2,
      min: 1,
      max: 100,
      unit: 'images',
      meaning: 'Images that are fetched at the same time.',
    },
    relistPeriodMs: {
      kind: 'number',
      default: MINUTE_MS,
      min: 1_000,
      max: 60 * MINUTE_MS,
      unit: 'ms',
      meaning: 'How often all pods are looked at again, in case an event was missed.',
    },
  },
  images: {
    highPercent: {
      kind: 'number',
      default: 85,
      min: 1,
      max: 100,
      unit: '%',
      meaning:
        'When so much of their disk is used, images that no pod needs are removed, the one unused the longest first.',
    },
    lowPercent: {
      kind: 'number',
      default: 80,
      min: 0,
      max: 99,
      unit: '%',
      meaning: 'Removing images ends when so much of their disk is used.',
    },
    minAgeMs: {
      kind: 'number',
      default: 2 * MINUTE_MS,
      min: 0,
      max: 24 * 60 * MINUTE_MS,
      unit: 'ms',
      meaning: 'Images that came later than this are not removed.',
    },
  },
  kubelet: {
    maxStreams: {
      kind: 'number',
      default: 64,
      min: 1,
      max: 128,
      unit: 'requests',
      meaning:
        'Requests through the hub (logs, exec, attach, port-forward, statistics) that the node serves at a time; one more is answered with 429.',
    },
    idleMs: {
      kind: 'number',
      default: 4 * 60 * MINUTE_MS,
      min: MINUTE_MS,
      max: 24 * 60 * MINUTE_MS,
      unit: 'ms',
      meaning:
        'A log, shell or forwarded port through the hub on which nothing happens for so long is ended.',
    },
  },
  events: {
    burst: {
      kind: 'number',
      default: 25,
      min: 1,
      max: 1000,
      unit: 'events',
      meaning: 'Events about one object that may be reported at once.',
    },
    refillMs: {
      kind: 'number',
      default: 5 * MINUTE_MS,
      min: 1_000,
      max: 60 * MINUTE_MS,
      unit: 'ms',
      meaning:
        'Time after which another event about the same object may be reported, once the burst is used up.',
    },
  },
  devices: DEVICE_OPTIONS,
  eventBus: EVENT_BUS_OPTIONS,
  mappers: {
    dir: {
      kind: 'text',
      default: '/etc/hawser/mappers.d',
      pattern: ABSOLUTE_PATH,
      meaning:
        'Folder of mapper definitions, `<name>.yaml`: who may use the event bus, and what edgecore runs. One that is not there has none.',
    },
  },
  dmi: DMI_OPTIONS,
  pool: POOL_OPTIONS,
  localApi: LOCAL_API_OPTIONS,
  dns: DNS_OPTIONS,
  log: {
    level: {
      kind: 'choice',
      default: 'info',
      choices: LOG_LEVELS,
      flag: 'log-level',
      meaning: 'The finest level that is written to standard error.',
    },
    format: {
      kind: 'choice',
      default: 'json',
      choices: LOG_FORMATS,
      flag: 'log-format',
      meaning:
        'One JSON object a line; a line of text for people; the same for the journal of systemd, without the time and with the level as it reads it.',
    },
  },
} as const satisfies OptionTable;

/** The configuration, complete. */
export type EdgeConfig = ConfigOf<typeof EDGE_OPTIONS>;
/** What a caller says of it; the rest has its default. */
export type EdgeConfigInput = PartialConfigOf<typeof EDGE_OPTIONS>;

/** The defaults, with `input` in place of some. Nothing is checked here: that is `checkConfig`. */
export function edgeConfig(input: EdgeConfigInput = {}): EdgeConfig {
  const given: Readonly<Record<string, Readonly<Record<string, unknown>> | undefined>> = input;
  const sections = Object.entries(EDGE_OPTIONS).map(([section, options]) => {
    const values = Object.entries(options).map(([name, option]: [string, { default: unknown }]) => {
      return [name, given[section]?.[name] ?? option.default] as const;
    });
    return [section, Object.fromEntries(values)];
  });
  return Object.fromEntries(sections) as EdgeConfig; // every section and option of the table is there
}
