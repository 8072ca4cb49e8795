import path from 'node:path';
import { TEST_IMAGES } from './test-images.ts';
import type { SitePlace } from './site-place.ts';

/** Where Debian has the CNI plug-ins. */
export const CNI_PLUGINS_DIR = '/usr/lib/cni';

/** How containers' file systems are made. */
export type Snapshotter = 'overlayfs' | 'native';

/** Files and folders of a site. */
export interface SitePaths {
  readonly config: string;
  readonly socket: string;
  /** Of the containerd process. */
  readonly log: string;
  readonly root: string;
  readonly state: string;
  readonly cni: string;
  /** A folder for each registry, with its hosts.toml. */
  readonly registries: string;
}

/** Where a site has what. */
export function sitePaths({ dir, runDir }: Pick<SitePlace, 'dir' | 'runDir'>): SitePaths {
  return {
    config: path.join(dir, 'config.toml'),
    log: path.join(dir, 'containerd.log'),
    root: path.join(dir, 'root'),
    cni: path.join(dir, 'cni'),
    registries: path.join(dir, 'certs.d'),
    socket: path.join(runDir, 'containerd.sock'),
    state: path.join(runDir, 'state'),
  };
}

/**
 * config.toml of a containerd that has nothing in common with another one of the machine, and that runs without
 * CAP_SYS_RESOURCE and with cgroups of either version. Source: containerd 1.6, docs/cri/config.md.
 */
export function containerdConfig(place: SitePlace, snapshotter: Snapshotter): string {
  const paths = sitePaths(place);
  const text = JSON.stringify; // a TOML basic string
  return `version = 2
root = ${text(paths.root)}
state = ${text(paths.state)}
disabled_plugins = [${UNUSED_PLUGINS.map((name) => text(name)).join(', ')}]

[grpc]
  address = ${text(paths.socket)}

[ttrpc]
  address = ${text(`${paths.socket}.ttrpc`)}

[debug]
  level = "info"

[plugins."io.containerd.internal.v1.opt"]
  path = ${text(path.join(place.dir, 'opt'))}

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = ${text(TEST_IMAGES.pause)}
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  disable_apparmor = true
  disable_hugetlb_controller = true
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  stats_collect_period = 1

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = ${text(CNI_PLUGINS_DIR)}
    conf_dir = ${text(paths.cni)}

  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = ${text(paths.registries)}

  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = ${text(snapshotter)}

    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"

      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
        Root = ${text(path.join(place.runDir, 'runc'))}
`;
}

const UNUSED_PLUGINS = [
  'io.containerd.internal.v1.restart',
  'io.containerd.snapshotter.v1.aufs',
  'io.containerd.snapshotter.v1.btrfs',
  'io.containerd.snapshotter.v1.devmapper',
  'io.containerd.snapshotter.v1.zfs',
  'io.containerd.tracing.processor.v1.otlp',
  'io.containerd.internal.v1.tracing',
];

/** The network of a site's pods: a bridge, addresses of its subnet, ports on the host. They do not reach the internet. */
export function cniConfig(place: SitePlace, portMappings: boolean): string {
  const bridge = {
    type: 'bridge',
    bridge: place.bridge,
    isDefaultGateway: true,
    hairpinMode: true,
    ipam: {
      type: 'host-local',
      dataDir: path.join(place.dir, 'addresses'),
      ranges: [[{ subnet: place.subnet }]],
    },
  };
  const portmap = { type: 'portmap', capabilities: { portMappings: true }, snat: true };
  return JSON.stringify(
    { cniVersion: '1.0.0', name: place.network, plugins: portMappings ? [bridge, portmap] : [bridge] },
    undefined,
    2,
  );
}

/** hosts.toml of a registry that is spoken to at another address, without TLS. Source: containerd 1.6, docs/hosts.md. */
export function hostsConfig(url: string): string {
  return `server = ${JSON.stringify(url)}

[host.${JSON.stringify(url)}]
  capabilities = ["pull", "resolve"]
`;
}
