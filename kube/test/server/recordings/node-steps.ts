import { recording } from '../../recordings.ts';
import { makeConfigMap, makeNamespace, makePod, settleNode, type Steps } from './steps.ts';

/** Around node.json. */
export const nodeSteps: Steps = {
  start: (replayer) => makeNamespace(replayer, 'fx-node'),
  before: {
    async 'csr-issued'(replayer) {
      await replayer.patch('/apis/certificates.k8s.io/v1/certificatesigningrequests/fx-csr/status', {
        status: { certificate: Buffer.from('certificate').toString('base64') },
      });
    },
    'node-get': (replayer) => settleNode(replayer, 'fx-edge1', undefined),
    async 'pods-list-own'(replayer) {
      await replayer.call('POST', '/api/v1/nodes', { metadata: { name: 'fx-edge2' } });
      for (const name of ['s-mine', 's-other', 's-none']) {
        await replayer.call('POST', '/api/v1/namespaces/fx-node/secrets', {
          metadata: { name },
          data: { k: 'dg==' },
        });
      }
      await makeConfigMap(replayer, 'fx-node', 'cm-mine');
      await makePod(replayer, 'fx-node', 'mine', {
        nodeName: 'fx-edge1',
        volumes: [
          { name: 's', secret: { secretName: 's-mine' } },
          { name: 'c', configMap: { name: 'cm-mine' } },
        ],
      });
      await makePod(replayer, 'fx-node', 'other', {
        nodeName: 'fx-edge2',
        volumes: [{ name: 's', secret: { secretName: 's-other' } }],
      });
    },
    async 'token-other-pod'(replayer) {
      // The recorder knew the pod's uid from a call that is not recorded.
      const { body } = recording('node', 'token-other-pod').request;
      const { uid } = (body as { spec: { boundObjectRef: { uid: string } } }).spec.boundObjectRef;
      const { metadata } = await replayer.call('GET', '/api/v1/namespaces/fx-node/pods/other');
      replayer.learned.strings.set(uid, (metadata as { uid: string }).uid);
    },
    // The node lifecycle controller takes the taint away once the node is ready.
    'node-label-allowed': (replayer) => settleNode(replayer, 'fx-edge1', null),
  },
};
