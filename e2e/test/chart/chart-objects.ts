import assert from 'node:assert/strict';
import type { KubeObject } from '@hawser/kube';

/** A port of a container. */
interface ContainerPort {
  readonly name: string;
  readonly containerPort: number;
  readonly protocol: string;
}

/** A probe, as far as the chart has it. */
export interface HttpProbe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

/** The one container. */
export interface ChartContainer {
  readonly image: string;
  readonly args: readonly string[];
  readonly ports: readonly ContainerPort[];
  readonly securityContext: object;
  readonly startupProbe: HttpProbe;
  readonly livenessProbe: HttpProbe;
  readonly readinessProbe: HttpProbe;
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
}

/** The template of the Deployment, as far as tests look at it. */
export interface ChartPod {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> };
  readonly spec: {
    readonly serviceAccountName: string;
    readonly terminationGracePeriodSeconds: number;
    readonly securityContext: object;
    readonly containers: readonly [ChartContainer];
    readonly volumes: readonly { readonly name: string; readonly configMap?: { readonly name: string } }[];
  };
}

/** The object of this kind; of several, the one of this name. */
export function only(objects: readonly KubeObject[], kind: string, name?: string): KubeObject {
  const found = objects.filter(
    (object) => object.kind === kind && (name === undefined || object.metadata.name === name),
  );
  assert.equal(found.length, 1, `${found.length} of ${kind}`);
  const [object] = found;
  assert.ok(object);
  return object;
}

/** What pods of the Deployment are made from. */
export function podOf(objects: readonly KubeObject[]): ChartPod {
  return (only(objects, 'Deployment')['spec'] as { readonly template: ChartPod }).template;
}

/** The file that cloudcore is to read, as text. */
export function configOf(objects: readonly KubeObject[]): string {
  const data = only(objects, 'ConfigMap', 'hawser-cloudcore')['data'] as Readonly<Record<string, string>>;
  return data['cloudcore.yaml'] ?? '';
}
