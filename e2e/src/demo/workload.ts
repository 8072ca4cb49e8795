import { TEST_IMAGES } from '@hawser/edgecore/testing';
import { RESOURCES, type KubeObject } from '@hawser/kube';
import { configMap, type SiteObjects } from '../cluster-site/site-objects.ts';
import { NAMESPACE, PODS_LABEL, TAINT } from './demo.ts';

export const REPLICAS = 3;
/** The Deployment. */
export const WORKLOAD = 'line-reader';
/** The one that is changed while everything is connected. */
export const SETTINGS = 'settings';
/** Those that are changed while the line is cut. */
export const RECIPES = Array.from({ length: 20 }, (_, index) => `recipe-${index}`);

/**
 * Says what the settings in its file are now. Each look starts two processes, so it looks seldom. Where volumes cannot be
 * mounted the runtime `process` says where they are.
 */
const READ_SETTINGS =
  'trap "exit 0" TERM; while true; do head -n 1 $HAWSER_MOUNTS/settings/text; sleep 10 & wait $!; done';

/** Some 2 KB, as settings are: many lines, of which one changes. */
export function settingsText(interval: number): string {
  const lines = Array.from({ length: 60 }, (_, index) => `sensor.${index}.address = 10.0.${index}.17`);
  return [`interval = ${interval}`, ...lines].join('\n');
}

/** Makes a Deployment whose pods read all these ConfigMaps, and a Service before it. @param site by which its processes are known */
export async function makeWorkload(objects: SiteObjects, site: string): Promise<void> {
  await objects.createAll([
    configMap(SETTINGS, settingsText(10), NAMESPACE),
    ...RECIPES.map((name) => configMap(name, `${name}: flour, water, salt`, NAMESPACE)),
  ]);
  await objects.create(deployment(site));
  await objects.create(service());
}

/** Pods of the workload that the API shows as running and ready. */
export async function runningPods(objects: SiteObjects): Promise<number> {
  const pods = await objects.list(RESOURCES.pods);
  return pods.filter((pod) => pod.metadata.namespace === NAMESPACE && isRunning(pod)).length;
}

/** Whether the API shows all these nodes as ready. */
export async function areNodesReady(objects: SiteObjects, names: readonly string[]): Promise<boolean> {
  const nodes = await objects.list(RESOURCES.nodes);
  const ready = new Set(nodes.filter(isReady).map(({ metadata }) => metadata.name));
  return names.every((name) => ready.has(name));
}

function deployment(site: string): KubeObject {
  const labels = { app: WORKLOAD };
  const volumes = [SETTINGS, ...RECIPES].map((name) => ({ name, configMap: { name, optional: true } }));
  const containers = [
    {
      name: 'reader',
      image: TEST_IMAGES.busybox,
      command: ['sh', '-c', READ_SETTINGS],
      env: [
        { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
        { name: 'DEMO_SITE', value: site },
      ],
      resources: { requests: { memory: '16Mi' } },
      volumeMounts: [{ name: SETTINGS, mountPath: '/settings' }],
    },
  ];
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: WORKLOAD, namespace: NAMESPACE },
    spec: {
      replicas: REPLICAS,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          containers,
          volumes,
          nodeSelector: PODS_LABEL,
          tolerations: [{ key: TAINT.key, operator: 'Exists' }],
          terminationGracePeriodSeconds: 2,
        },
      },
    },
  };
}

function service(): KubeObject {
  const ports = [{ name: 'http', port: 80, targetPort: 8080, protocol: 'TCP' }];
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: WORKLOAD, namespace: NAMESPACE },
    spec: { selector: { app: WORKLOAD }, ports },
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
