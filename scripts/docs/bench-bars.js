// What each bench is about, and what is wanted of its figures: `[figure, what it is, most or least]`. A page has a row for
// each, measured or not. What a bench prints beside them is shown below, without a bar.

const shown = (limit) => limit.toLocaleString('en-US');
const most = (limit) => ({ text: `≤ ${shown(limit)}`, isMet: ({ value }) => value <= limit });
const least = (limit) => ({ text: `≥ ${shown(limit)}`, isMet: ({ value }) => value >= limit });
const exactly = (limit) => ({ text: `${limit}`, isMet: ({ value }) => value === limit });
const noBar = { text: '–', isMet: () => undefined };

/** 1.3 times the bare calls, and 50 ms: both times are in the note of another figure. */
const bareAndSome = {
  text: '≤ 1.3, and 50 ms',
  isMet: (_, figures) => {
    const [, bare, ours] = /(\d+) ms.* (\d+) ms/.exec(figures.get('pod_start_own_ms')?.note ?? '') ?? [];
    return bare === undefined ? undefined : Number(ours) <= 1.3 * Number(bare) + 50;
  },
};

export const BENCHES = {
  sync: {
    title: 'Delta sync',
    about:
      'Between a real control plane, a real hub and real edges. Bytes are counted at IP level, with all headers.',
    bars: [
      [
        'change_to_durable_p50_ms',
        'a ConfigMap changes: from the write at the API to the disk of the node',
        most(8),
      ],
      ['change_to_durable_p99_ms', 'the same, all but the slowest of 100', most(40)],
      ['configmap_update_bytes', '20 KiB ConfigMap, one key of 32 random characters changes', most(700)],
      ['configmap_300k_update_bytes', '300 KiB ConfigMap, one key changes', most(1500)],
      ['idle_minute_bytes', 'a minute in which nothing happens, both directions', most(1434)],
      ['reconnect_unchanged_bytes', 'a connection anew, nothing has changed', most(4096)],
      ['reconnect_unchanged_object_bytes', 'bytes of objects in it', exactly(0)],
      [
        'silent_cut_60s_resync_ms',
        'from the end of a silent cut of 60 s until node and cloud agree',
        most(5000),
      ],
      ['join_ms', 'from `hawser join` to Ready', most(500)],
      ['join_bytes', 'all bytes of it', most(12288)],
      [
        'hub_kib_per_edge',
        'memory of the hub for each of 1,000 edges (10 pods of 4 KB, 5 ConfigMaps of 2 KB each)',
        most(150),
      ],
      [
        'storm_1000_resync_ms',
        'the hub is killed and starts again: until all of 1,000 edges are in sync',
        most(20000),
      ],
      ['storm_api_lists', 'lists of a resource at the API server in it', most(5)],
      ['hub_sessions_10000_rss_mb', 'memory of a hub with 10,000 idle sessions', most(1200)],
      ['hub_sessions_10000_cpu_percent', 'its CPU', most(25)],
      ['edge_rss_mb', 'resident memory of an edge core with the objects of 10 pods', most(65)],
      ['edge_anon_mb', 'of it not shared with files', noBar],
      ['flash_idle_hour_kib', 'written to disk in an hour in which nothing happens', most(64)],
      [
        'bookkeeping_writes_per_update',
        'writes to the API server for bookkeeping, for each update and edge',
        exactly(0),
      ],
    ],
  },
  pods: {
    title: 'Pods',
    about: 'In a real containerd, over bare calls to it that do the same, measured in turns.',
    bars: [
      ['pod_start_own_ms', 'a pod starts: what Hawser adds to the calls of the runtime', most(40)],
      [
        'pod_running_over_bare_cri',
        'created in the API → Running in the API, over the bare calls',
        bareAndSome,
      ],
      ['pod_running_configmap_extra_ms', 'what a ConfigMap volume adds', most(50)],
      ['configmap_to_file_ms', 'a ConfigMap changes: until the file in the running pod has', most(1000)],
      ['start_30_over_bare_cri', '30 pods at once, over the bare calls', most(1.5)],
      ['restart_after_death_ms', 'a container is killed: until the next one runs', most(100)],
      ['idle_100_pods_cpu_percent', 'CPU of the edge core with 100 pods that do nothing', most(1)],
      ['idle_100_pods_rss_mb', 'its resident memory', most(90)],
    ],
  },
  devices: {
    title: 'Devices',
    about: 'A Modbus device over TCP, the mapper, the event bus, the edge core, the hub, the API.',
    bars: [
      ['register_to_status_p50_ms', 'a register changes: until the status of the Device has', most(200)],
      ['desired_to_register_p50_ms', 'a desired value changes in the API: until the register has', most(150)],
      [
        'load_100x20_edgecore_cpu_percent',
        '100 devices, 20 properties each, every one changes each second: CPU of the edge core',
        most(15),
      ],
      ['load_100x20_mapper_cpu_percent', 'CPU of the mapper', most(25)],
      ['load_100x20_lost', 'last values that did not arrive', exactly(0)],
      ['event_bus_idle_mb', 'memory that the MQTT broker takes', most(4)],
      ['flash_100x20_connected_kib_hour', 'written to disk in an hour of that load', most(2048)],
      ['flash_100x20_cut_kib_hour', 'the same without a cloud', most(10240)],
    ],
  },
  pool: {
    title: 'Pools',
    about: 'A site of nodes with one stream from the cloud, against nodes that each have one.',
    bars: [
      [
        'cloud_bytes_100_over_1',
        'bytes from the cloud for a pool of 100 nodes, over those for one node',
        most(1.1),
      ],
      ['pool_memory_mb', 'memory that a pool takes of a node', most(25)],
      [
        'last_of_50_p99_over_direct',
        'a change, to the last of 50 members, over 50 nodes that are each told by the cloud',
        most(3),
      ],
    ],
  },
  start: {
    title: '`npm start`',
    about:
      'The demonstration itself: a control plane, a hub, three edges, a containerd and a device on one machine.',
    bars: [
      ['start_ms', 'from its start to nodes that are Ready and pods that run', most(20_000)],
      ['idle_percent', 'of a core, all of its processes and the view, when nothing happens', most(5)],
    ],
  },
  tunnel: {
    title: 'Tunnel',
    about: 'Its transports against bare WebSockets, and against each other, on loopback.',
    bars: [
      ['ws_throughput_over_bare', 'throughput of ws, over a bare WebSocket', least(0.8)],
      ['ws_echo_p50_over_bare', 'a round trip, over a bare WebSocket', most(2)],
      ['quic_throughput_over_ws', 'throughput of quic, over ws', least(0.5)],
      ['quic_echo_p50_over_ws', 'a round trip, over ws', most(3)],
      ['idle_session_kib', 'memory of the hub for an idle session', most(80)],
      ['fanout_frames_per_second', 'frames to 100 sessions', least(20000)],
      [
        'control_p99_excess_ws_ms',
        'what bulk adds to control messages on ws, 10 Mbit/s, 25 ms one way',
        most(75),
      ],
      ['control_p99_excess_quic_ms', 'the same on quic', most(75)],
    ],
  },
  kube: {
    title: 'Embedded control plane',
    about: 'As its clients meet it: over TLS, in a process of its own, with a database on disk.',
    bars: [
      ['watch_1000_p99_ms', 'a change, to 1,000 watches', most(150)],
      ['list_5000_pods_ms', 'a list of 5,000 pods', most(400)],
      ['list_page_500_ms', 'a page of 500 of them', most(50)],
      ['durable_writes_per_second', 'writes of the store that are on disk', least(1500)],
      ['start_5000_objects_ms', 'a start with 5,000 objects', most(1500)],
    ],
  },
};
