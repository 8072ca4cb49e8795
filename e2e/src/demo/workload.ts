import { TEST_IMAGES } from '@hawser/edgecore/testing';
import { RESOURCES, type KubeObject } from '@hawser/kube';
import type { ClusterSite } from '../cluster-site/cluster-site.ts';
import { configMap } from '../cluster-site/site-objects.ts';

export const REPLICAS = 3;
/** The one that is changed while everything is connected. */
export const SETTINGS = 'settings';
/** Those that are changed while the line is cut. */
export const RECIPES = Array.from({ length: 20 }, (_, index) => `recipe-${index}`);

/** Says, each second, what the settings in its file are now. */
const READ_SETTINGS = 'trap "exit 0" TERM; while true; do head -n 1 /settings/text; sleep 1 & wait $!; done';

/** Some 2 KB, as settings are: many lines, of which one changes. */
export function settingsText(interval: number): string {
  const lines = Array.from({ length: 60 }, (_, index) => `sensor.${index}.address = 10.0.${index}.17`);
  return [`interval = ${interval}`, ...lines].join('\n');
}

/** Makes a Deployment whose pods read all these ConfigMaps. */
export async function makeWorkload({ objects }: ClusterSite): Promise<void> {
  await objects.createAll([
    configMap(SETTINGS, settingsText(10)),
    ...RECIPES.map((name) => configMap(name, `${name}: flour, water, salt`)),
  ]);
  await objects.create(deployment());
}

/** Pods of the workload that the API shows as running and ready. */
export async function runningPods({ objects }: ClusterSite): Promise<number> {
  return (await objects.list(RESOURCES.pods)).filter(isRunning).length;
}

/** Whether the API shows a node as ready. */
export async function isNodeReady({ objects }: ClusterSite, name: string): Promise<boolean> {
  const nodes = await objects.list(RESOURCES.nodes);
  const node = nodes.find(({ metadata }) => metadata.name === name);
  return node !== undefined && isReady(node);
}

function deployment(): KubeObject {
  const labels = { app: 'line-reader' };
  const volumes = [SETTINGS, ...RECIPES].map((name) => ({ name, configMap: { name, optional: true } }));
  const containers = [
    {
      name: 'reader',
      image: TEST_IMAGES.busybox,
      command: ['sh', '-c', READ_SETTINGS],
      resources: { requests: { memory: '16Mi' } },
      volumeMounts: [{ name: SETTINGS, mountPath: '/settings' }],
    },
  ];
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'line-reader', namespace: 'default' },
    spec: {
      replicas: REPLICAS,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          containers,
          volumes,
          nodeSelector: { kitchen: 'yes' },
          terminationGracePeriodSeconds: 2,
        },
      },
    },
  };
}

interface Status {
  readonly phase?: string;
  readonly conditions?: readonly { readonly type: string; readonly status: string }[];
}

function isReady(object: KubeObject): boolean {
  const { conditions = [] } = (object['status'] ?? {}) as Status;
  return conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
}

function isRunning(pod: KubeObject): boolean {
  return (pod['status'] as Status | undefined)?.phase === 'Running' && isReady(pod);
}
