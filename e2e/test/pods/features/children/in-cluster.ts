// A program of a pod, as others write them: @kubernetes/client-node, unmodified, configured by what the pod has. It says in
// a line of JSON what it was shown: `node in-cluster.js CONFIGMAP`.
import { ApiException, CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import type { InClusterReport } from '../in-cluster-report.ts';

const NAMESPACE = 'default';

const config = new KubeConfig();
config.loadFromCluster();
const api = config.makeApiClient(CoreV1Api);

async function refusal(call: () => Promise<unknown>): Promise<number | undefined> {
  try {
    await call();
    return undefined;
  } catch (error) {
    if (error instanceof ApiException) return error.code;
    throw error;
  }
}

const [name = ''] = process.argv.slice(2);
const { data = {} } = await api.readNamespacedConfigMap({ namespace: NAMESPACE, name });
const report: InClusterReport = {
  server: config.getCurrentCluster()?.server ?? '',
  data,
  refused: await refusal(() => api.listNamespacedSecret({ namespace: NAMESPACE })),
};
console.log(JSON.stringify(report));
