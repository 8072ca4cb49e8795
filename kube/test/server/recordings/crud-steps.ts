import { makeAccount, makeConfigMap, makeNamespace, makePod, settleNode, type Steps } from './steps.ts';

const CONDITIONS = [
  [
    'NamespaceDeletionDiscoveryFailure',
    'False',
    'ResourcesDiscovered',
    'All resources successfully discovered',
  ],
  [
    'NamespaceDeletionGroupVersionParsingFailure',
    'False',
    'ParsedGroupVersions',
    'All legacy kube types successfully parsed',
  ],
  [
    'NamespaceDeletionContentFailure',
    'False',
    'ContentDeleted',
    'All content successfully deleted, may be waiting on finalization',
  ],
  [
    'NamespaceContentRemaining',
    'True',
    'SomeResourcesRemain',
    'Some resources are remaining: configmaps. has 1 resource instances',
  ],
  [
    'NamespaceFinalizersRemaining',
    'True',
    'SomeFinalizersRemain',
    'Some content in the namespace has finalizers remaining: fx.example/hold in 1 resource instances',
  ],
].map(([type, status, reason, message]) => ({
  type,
  status,
  reason,
  message,
  lastTransitionTime: '2026-11-21T22:38:39Z',
}));

/** Around crud.json. */
export const crudSteps: Steps = {
  before: {
    'namespace-get': (replayer) => makeAccount(replayer, 'fx-crud'),
    async deletecollection(replayer) {
      for (const [name, dc] of [
        ['dc1', 'go'],
        ['dc2', 'go'],
        ['dc3', 'keep'],
      ] as const) {
        await makeConfigMap(replayer, 'fx-crud', name, { labels: { dc } });
      }
    },
    'pod-delete-unbound': (replayer) => makePod(replayer, 'fx-crud', 'p3', { schedulerName: 'fx-none' }),
    async 'pod-eviction-blocked'(replayer) {
      await makePod(replayer, 'fx-crud', 'p4', { nodeName: 'fx-node1' }, { labels: { app: 'p4' } });
      await replayer.patch('/api/v1/namespaces/fx-crud/pods/p4/status', {
        status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
      });
      const budgets = '/apis/policy/v1/namespaces/fx-crud/poddisruptionbudgets';
      await replayer.call('POST', budgets, {
        metadata: { name: 'pdb' },
        spec: { minAvailable: 1, selector: { matchLabels: { app: 'p4' } } },
      });
      await replayer.patch(`${budgets}/pdb/status`, {
        status: { desiredHealthy: 1, currentHealthy: 1, expectedPods: 1, disruptionsAllowed: 0 },
      });
    },
    'node-status-patch': (replayer) => settleNode(replayer, 'fx-node1', null),
    async 'namespace-delete'(replayer) {
      await makeNamespace(replayer, 'fx-gone');
      await makeConfigMap(replayer, 'fx-gone', 'held', { finalizers: ['fx.example/hold'] });
    },
    async 'namespace-get-terminating'(replayer) {
      await replayer.patch('/api/v1/namespaces/fx-gone/status', { status: { conditions: CONDITIONS } });
    },
    async 'namespace-gone'(replayer) {
      const namespace = await replayer.call('GET', '/api/v1/namespaces/fx-gone');
      await replayer.call('PUT', '/api/v1/namespaces/fx-gone/finalize', {
        ...namespace,
        spec: { finalizers: [] },
      });
    },
  },
};
