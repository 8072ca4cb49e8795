/** A pod of about 4 KB as the API server has it; `version` changes its image and what is random in it. */
export function podText(n: number, version: number): string {
  let seed = n * 1009 + version + 1;
  const word = (): string => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return seed.toString(36).padStart(6, '0');
  };
  const uid = `${word()}${word()}-${word()}-${word()}`;
  const container = (name: string): object => ({
    name,
    image: `registry.example.com/team/${name}:v1.2.${version}`,
    env: Array.from({ length: 8 }, (_, i) => ({ name: `SETTING_${i}`, value: `${word()}${word()}` })),
    ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
    resources: { limits: { cpu: '100m', memory: '64Mi' }, requests: { cpu: '10m', memory: '32Mi' } },
    livenessProbe: { httpGet: { path: '/healthz', port: 8080, scheme: 'HTTP' }, periodSeconds: 10 },
    readinessProbe: { httpGet: { path: '/ready', port: 8080, scheme: 'HTTP' }, periodSeconds: 5 },
    volumeMounts: [
      { name: 'config', mountPath: '/etc/app', readOnly: true },
      { name: `kube-api-access-${word()}`, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' },
    ],
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: 'IfNotPresent',
  });
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `app-${n}`,
      namespace: 'default',
      uid,
      labels: { app: `app-${n}`, 'pod-template-hash': word() },
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: `app-${word()}`, uid: word() }],
    },
    spec: {
      nodeName: 'edge-1',
      containers: ['app', 'proxy', 'metrics'].map(container),
      restartPolicy: 'Always',
      serviceAccountName: 'default',
      tolerations: [{ key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute' }],
      volumes: [{ name: 'config', configMap: { name: `app-${n}`, defaultMode: 420 } }],
    },
  });
}
