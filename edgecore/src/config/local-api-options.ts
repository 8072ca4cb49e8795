import type { OptionTable } from './option.ts';

/** Options of the Kubernetes API that the node serves to its own programs. */
export const LOCAL_API_OPTIONS = {
  port: {
    kind: 'number',
    default: 10_260,
    min: 0,
    max: 65_535,
    unit: '',
    meaning: 'Port of the local API, on 127.0.0.1 and on `localApi.address`. 0: no local API.',
  },
  address: {
    kind: 'text',
    default: '169.254.2.1',
    pattern: { source: '^$|^[0-9.]+$', is: 'an IPv4 address' },
    meaning:
      'Link-local address on a dummy interface of its own, `hawser0`, by which pods reach the local API. It needs the right to administer the network; without it the local API is on loopback only, and the log says so. Empty: loopback only.',
  },
  pods: {
    kind: 'choice',
    default: 'local',
    choices: ['local', 'cluster'],
    meaning:
      'Which API server pods find in KUBERNETES_SERVICE_HOST and _PORT: this one, or none from here (`cluster`: what their image or environment says). The annotation hawser.dev/api-server of a pod overrides it.',
  },
  filters: {
    kind: 'map',
    default: { 'kube-proxy': 'topology', coredns: 'topology' },
    meaning:
      'What clients are shown in another way, by the first word of their User-Agent: `topology`, `api-server`, both with a comma.',
  },
} as const satisfies OptionTable[string];
