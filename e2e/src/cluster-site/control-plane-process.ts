// A control plane in a process of its own: `node control-plane-process.js {json of ControlPlaneSettings}`.
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { Registry } from 'prom-client';
import { startControlPlane, type ControlPlaneOptions } from '@hawser/controlplane';
import type { ApiCall } from '@hawser/kube';
import { announceReady } from '../processes/in-child.ts';
import { answerQuestions } from './ipc-calls.ts';

/** Settings of a control-plane process. */
export interface ControlPlaneSettings {
  /** Where to write the kubeconfig. */
  readonly kubeconfig: string;
  /** Absent: in memory. */
  readonly dataDir?: string;
  /** Default: 127.0.0.1. */
  readonly host?: string;
  /** Further addresses in its certificate. */
  readonly hosts?: readonly string[];
  readonly port?: number;
  readonly controllers?: boolean;
  readonly nodeTimes?: NonNullable<ControlPlaneOptions['nodeTimes']>;
}

/** Requests that the API server has answered: verb, resource, code and how many. */
export interface RequestCount {
  readonly verb: string;
  readonly resource: string;
  readonly code: string;
  readonly count: number;
}

async function main(settings: ControlPlaneSettings): Promise<void> {
  const metrics = new Registry();
  const { kubeconfig, ...options } = settings;
  const plane = await startControlPlane({ ...options, metrics });
  await writeFile(kubeconfig, plane.kubeconfig, { mode: 0o600 });
  answerQuestions({
    call: (call: ApiCall) => plane.client.request(call),
    requests: () => countedRequests(metrics),
  });
  process.once('SIGTERM', () => void plane.stop().then(() => process.exit(0)));
  announceReady({ url: plane.url });
}

async function countedRequests(metrics: Registry): Promise<readonly RequestCount[]> {
  const metric = await metrics.getSingleMetric('hawser_kube_server_requests_total')?.get();
  return (metric?.values ?? []).map(({ labels, value }) => ({
    verb: String(labels['verb']),
    resource: String(labels['resource']),
    code: String(labels['code']),
    count: value,
  }));
}

const { positionals } = parseArgs({ allowPositionals: true });
await main(JSON.parse(positionals[0] ?? '{}') as ControlPlaneSettings);
