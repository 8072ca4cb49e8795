import { eventually } from '@hawser/seams/testing';
import { recording } from '../../recordings.ts';
import { makeConfigMap, makeNamespace, makePod, type Steps } from './steps.ts';
import type { Replayer } from './replayer.ts';

const LEASES = '/apis/coordination.k8s.io/v1/namespaces/fx-list/leases';

async function makeNode(replayer: Replayer, name: string): Promise<void> {
  await replayer.call('POST', '/api/v1/nodes', { metadata: { name } });
}

function makeLease(replayer: Replayer, name: string, holder: string): Promise<unknown> {
  return replayer.call('POST', LEASES, { metadata: { name }, spec: { holderIdentity: holder } });
}

/** Around list.json. */
export const listSteps: Steps = {
  async start(replayer) {
    await makeNode(replayer, 'fx-node1');
    await makeNamespace(replayer, 'fx-list');
    for (let index = 1; index <= 7; index += 1) {
      const labels = {
        set: 'seven',
        parity: index % 2 === 1 ? 'odd' : 'even',
        ...(index <= 3 ? { tier: 'front' } : {}),
      };
      await makeConfigMap(replayer, 'fx-list', `c${index}`, { labels, data: { a: '1' } });
    }
  },
  before: {
    async 'walk-leases-1'(replayer) {
      for (let index = 1; index <= 7; index += 1) await makeLease(replayer, `l${index}`, `h${index}`);
    },
    async 'walk-leases-2'(replayer) {
      await makeLease(replayer, 'l55', 'late');
    },
    async 'field-pod-nodename'(replayer) {
      await makePod(replayer, 'fx-list', 'pa', { nodeName: 'fx-node1' });
      await makePod(replayer, 'fx-list', 'pb', { schedulerName: 'fx-none' });
    },
  },
};

const MAPS = '/api/v1/namespaces/fx-watch/configmaps';

/** The recorder read a version in a call that is not recorded. */
async function learnVersion(replayer: Replayer, recorded: string): Promise<void> {
  const { metadata } = await replayer.call('GET', MAPS);
  const { resourceVersion } = metadata as { resourceVersion: string };
  replayer.learned.strings.set(recorded, resourceVersion);
}

/** Around watch.json. */
export const watchSteps: Steps = {
  async start(replayer) {
    await makeNode(replayer, 'fx-node1');
    await makeNamespace(replayer, 'fx-watch');
  },
  before: {
    async 'watch-sendinitialevents'(replayer) {
      for (const name of ['w3', 'w4'])
        await makeConfigMap(replayer, 'fx-watch', name, { labels: { app: 'w' }, data: { a: '1' } });
    },
    async 'watch-pods-of-node'(replayer) {
      await makePod(replayer, 'fx-watch', 'wp', { schedulerName: 'fx-none' });
      await learnVersion(replayer, '2724');
    },
    'watch-table': (replayer) => learnVersion(replayer, '2720'),
    'watch-partialobjectmetadata': (replayer) => learnVersion(replayer, '2722'),
  },
  during: {
    async 'watch-add-modify-delete'(replayer) {
      await makeConfigMap(replayer, 'fx-watch', 'w1', { labels: { app: 'w' }, data: { a: '1' } });
      await replayer.patch(`${MAPS}/w1`, { data: { a: '2' } });
      await replayer.call('DELETE', `${MAPS}/w1`);
    },
    async 'watch-label-transitions'(replayer) {
      await makeConfigMap(replayer, 'fx-watch', 'w2', { labels: { app: 'v' }, data: { a: '1' } });
      await replayer.patch(`${MAPS}/w2`, { metadata: { labels: { app: 'w' } } });
      await replayer.patch(`${MAPS}/w2`, { data: { a: '3' } });
      await replayer.patch(`${MAPS}/w2`, { metadata: { labels: { app: 'v' } } });
      await replayer.patch(`${MAPS}/w2`, { metadata: { labels: { app: 'w' } } });
      await replayer.call('DELETE', `${MAPS}/w2`);
    },
    async 'watch-sendinitialevents'(replayer) {
      await replayer.patch(`${MAPS}/w3`, { data: { a: 'live' } });
    },
    async 'watch-rv-unset'(replayer) {
      await replayer.patch(`${MAPS}/w4`, { data: { a: 'live' } });
    },
    async 'watch-single-object'(replayer) {
      await replayer.patch(`${MAPS}/w3`, { data: { x: 'not seen' } });
      await replayer.patch(`${MAPS}/w4`, { data: { x: 'seen' } });
    },
    async 'watch-bookmark-before-timeout'(replayer) {
      await makeConfigMap(replayer, 'fx-watch', 'other', { data: { a: '1' } });
    },
    async 'watch-table'(replayer) {
      await replayer.patch(`${MAPS}/w4`, { data: { x: 't1' } });
      await replayer.patch(`${MAPS}/w4`, { data: { x: 't2' } });
    },
    async 'watch-partialobjectmetadata'(replayer) {
      await replayer.patch(`${MAPS}/w4`, { data: { x: 't3' } });
    },
    async 'watch-pods-of-node'(replayer) {
      const pods = '/api/v1/namespaces/fx-watch/pods/wp';
      await replayer.call('POST', `${pods}/binding`, {
        metadata: { name: 'wp' },
        target: { apiVersion: 'v1', kind: 'Node', name: 'fx-node1' },
      });
      await replayer.call('DELETE', pods);
      await replayer.call('DELETE', pods, { gracePeriodSeconds: 0 });
    },
  },
};

const DEPLOYMENT = '/apis/apps/v1/namespaces/fx-patch/deployments/d';
const DEPLOYMENT_STATUS = {
  observedGeneration: 1,
  terminatingReplicas: 0,
  conditions: [
    ['Progressing', 'Unknown', 'DeploymentPaused', 'Deployment is paused'],
    ['Available', 'True', 'MinimumReplicasAvailable', 'Deployment has minimum availability.'],
  ].map(([type, status, reason, message]) => ({
    type,
    status,
    reason,
    message,
    lastUpdateTime: '2026-11-21T22:44:54Z',
    lastTransitionTime: '2026-11-21T22:44:54Z',
  })),
};

async function observe(replayer: Replayer, observedGeneration: number): Promise<void> {
  await replayer.patch(`${DEPLOYMENT}/status`, { status: { observedGeneration } });
}

/** Around patch.json. */
export const patchSteps: Steps = {
  async start(replayer) {
    await makeNode(replayer, 'fx-node1');
    await makeNamespace(replayer, 'fx-patch');
    await makeConfigMap(replayer, 'fx-patch', 'j', {
      labels: { l: '1' },
      annotations: { 'x/y': 'z' },
      data: { a: '1', b: '2' },
    });
  },
  before: {
    'strategic-pod-image-by-name': (replayer) =>
      makePod(replayer, 'fx-patch', 'p', {
        nodeName: 'fx-node1',
        automountServiceAccountToken: false,
        containers: [
          { name: 'a', image: 'registry.example/a:1' },
          { name: 'b', image: 'registry.example/b:1' },
        ],
      }),
    async 'strategic-dep-env-ports'(replayer) {
      await replayer.call('POST', '/apis/apps/v1/namespaces/fx-patch/deployments', {
        metadata: { name: 'd' },
        spec: {
          paused: true,
          replicas: 0,
          selector: { matchLabels: { app: 'd' } },
          template: {
            metadata: { labels: { app: 'd' } },
            spec: {
              imagePullSecrets: [{ name: 's1' }],
              volumes: [{ name: 'v', emptyDir: {} }],
              containers: [
                {
                  name: 'a',
                  image: 'registry.example/a:1',
                  args: ['x', 'y'],
                  env: [
                    { name: 'E1', value: '1' },
                    { name: 'E2', value: '2' },
                  ],
                  ports: [{ containerPort: 80 }, { name: 'm', containerPort: 81 }],
                  volumeMounts: [{ name: 'v', mountPath: '/v' }],
                },
                { name: 'b', image: 'registry.example/b:1' },
              ],
            },
          },
        },
      });
      await replayer.patch(`${DEPLOYMENT}/status`, { status: DEPLOYMENT_STATUS });
    },
    'strategic-dep-setelementorder': (replayer) => observe(replayer, 4),
    'strategic-dep-labels-null': (replayer) => observe(replayer, 7),
  },
};

const TABLE_PODS = '/api/v1/namespaces/fx-table/pods';
const LABELS = { labels: { fx: 't' } };
const STARTED = '2026-01-01T00:00:00Z';

async function tablePod(
  replayer: Replayer,
  name: string,
  status: Record<string, unknown>,
  spec: Record<string, unknown> = {},
): Promise<void> {
  const common = { nodeName: 'fx-tnode1', automountServiceAccountToken: false };
  await makePod(replayer, 'fx-table', name, { ...common, ...spec }, LABELS);
  if (Object.keys(status).length > 0) await replayer.patch(`${TABLE_PODS}/${name}/status`, { status });
}

function containerStatus(
  state: Record<string, unknown>,
  ready: boolean,
  rest: Record<string, unknown> = {},
): object {
  return { name: 'main', ready, restartCount: 0, image: 'i', imageID: '', state, ...rest };
}

/** Around table.json. */
export const tableSteps: Steps = {
  async start(replayer) {
    await makeNamespace(replayer, 'fx-table');
    await replayer.call('POST', '/api/v1/nodes', {
      metadata: { name: 'fx-tnode1', labels: { fx: 't', 'node-role.kubernetes.io/edge': '' } },
      status: {
        conditions: [{ type: 'Ready', status: 'True' }],
        addresses: [{ type: 'InternalIP', address: '10.9.8.1' }],
        nodeInfo: {
          kubeletVersion: 'v1.36.2',
          osImage: 'Edge OS 1',
          kernelVersion: '6.1.0',
          architecture: 'amd64',
          containerRuntimeVersion: 'containerd://2.0.0',
        },
      },
    });
    await replayer.call('POST', '/api/v1/nodes', {
      metadata: { name: 'fx-tnode2', labels: { fx: 't' } },
      spec: { unschedulable: true },
    });
    await tablePod(replayer, 't-crash', {
      phase: 'Running',
      containerStatuses: [
        containerStatus({ waiting: { reason: 'CrashLoopBackOff' } }, false, {
          restartCount: 4,
          lastState: { terminated: { exitCode: 1, finishedAt: STARTED } },
        }),
      ],
    });
    await tablePod(replayer, 't-done', {
      phase: 'Succeeded',
      containerStatuses: [containerStatus({ terminated: { exitCode: 0, reason: 'Completed' } }, false)],
    });
    await tablePod(replayer, 't-evicted', { phase: 'Failed', reason: 'Evicted' });
    await tablePod(
      replayer,
      't-init',
      {
        phase: 'Pending',
        initContainerStatuses: [
          { ...containerStatus({ running: { startedAt: STARTED } }, false), name: 'i1' },
          { ...containerStatus({ waiting: { reason: 'PodInitializing' } }, false), name: 'i2' },
        ],
        containerStatuses: [containerStatus({ waiting: { reason: 'PodInitializing' } }, false)],
      },
      {
        initContainers: [
          { name: 'i1', image: 'i' },
          { name: 'i2', image: 'i' },
        ],
      },
    );
    await tablePod(replayer, 't-pending', {});
    await tablePod(replayer, 't-run', {
      phase: 'Running',
      podIP: '10.1.0.2',
      podIPs: [{ ip: '10.1.0.2' }],
      conditions: [{ type: 'Ready', status: 'True' }],
      containerStatuses: [containerStatus({ running: { startedAt: STARTED } }, true)],
    });
    await tablePod(replayer, 't-signal', {
      phase: 'Failed',
      containerStatuses: [containerStatus({ terminated: { exitCode: 137, signal: 9 } }, false)],
    });
    await tablePod(replayer, 't-term', {
      phase: 'Running',
      conditions: [{ type: 'Ready', status: 'True' }],
      containerStatuses: [containerStatus({ running: { startedAt: STARTED } }, true)],
    });
    await replayer.call('DELETE', `${TABLE_PODS}/t-term`);
    const template = {
      metadata: { labels: { app: 'td' } },
      spec: {
        containers: [
          { name: 'a', image: 'i/a:1' },
          { name: 'b', image: 'i/b:1' },
        ],
      },
    };
    await replayer.call('POST', '/apis/apps/v1/namespaces/fx-table/deployments', {
      metadata: { name: 'td', ...LABELS },
      spec: { replicas: 0, paused: true, selector: { matchLabels: { app: 'td' } }, template },
    });
    await replayer.call('POST', '/api/v1/namespaces/fx-table/configmaps', {
      metadata: { name: 'tc', ...LABELS },
      data: { a: '1', b: '2' },
      binaryData: { c: 'AAEC' },
    });
    await replayer.call('POST', '/api/v1/namespaces/fx-table/events', {
      metadata: { name: 'te1', ...LABELS },
      involvedObject: {
        apiVersion: 'v1',
        kind: 'Pod',
        name: 't-run',
        namespace: 'fx-table',
        fieldPath: 'spec.containers{main}',
      },
      reason: 'Pulled',
      message: 'image pulled',
      type: 'Normal',
      source: { component: 'kubelet', host: 'fx-tnode1' },
      firstTimestamp: new Date(Date.parse(RECORDED_AT) - 90_000).toISOString().replace(/\.\d+Z/, 'Z'),
      lastTimestamp: new Date(Date.parse(RECORDED_AT) - 90_000).toISOString().replace(/\.\d+Z/, 'Z'),
      count: 3,
    });
  },
  before: {
    async 'crd-printercolumns'(replayer) {
      const definition = recording('crd', 'crd-create').request.body;
      await replayer.call('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition);
      await established(replayer);
      const gadgets = '/apis/fx.example/v1/namespaces/fx-table/gadgets';
      await replayer.call('POST', gadgets, {
        apiVersion: 'fx.example/v1',
        kind: 'Gadget',
        metadata: { name: 'tg', ...LABELS },
        spec: { size: 3 },
      });
      await replayer.patch(`${gadgets}/tg/status`, { status: { phase: 'Ready' } });
    },
  },
};

/** The time that the server of a replay begins at. */
export const RECORDED_AT = '2026-11-21T22:46:00Z';

/** Around discovery.json and crd.json. */
export const crdSteps: Steps = {
  start: (replayer) => makeNamespace(replayer, 'fx-crd'),
  before: {
    'crd-get-established': (replayer) => established(replayer),
    async 'cr-wrong-group-version'(replayer) {
      // Rules are not evaluated here, so this one was created.
      await replayer.call('DELETE', '/apis/fx.example/v1/namespaces/fx-crd/gadgets/bad');
    },
    async 'cr-scale-get'(replayer) {
      // Server-side apply made this one when it was recorded.
      await replayer.call('POST', '/apis/fx.example/v1/namespaces/fx-crd/gadgets', {
        apiVersion: 'fx.example/v1',
        kind: 'Gadget',
        metadata: { name: 'ap' },
        spec: { size: 1, parts: [{ id: 'a', weight: 2 }], tags: ['t'] },
      });
    },
  },
};

/** Waits until the recorded definition is served. */
export async function established(replayer: Replayer): Promise<void> {
  await eventually('gadgets are served', async () => {
    const { groups } = await replayer.call('GET', '/apis');
    return JSON.stringify(groups).includes('fx.example');
  });
}
