// Watches Services and EndpointSlices at a local API, as kube-proxy does: `node pool-watcher.js PORT CERTIFICATE TOKEN`.
import { request } from 'node:https';
import { announceReady } from '../../src/processes/in-child.ts';

const [port = '', ca = '', token = ''] = process.argv.slice(2);
const PATHS = ['/api/v1/services', '/apis/discovery.k8s.io/v1/endpointslices'];

for (const path of PATHS) {
  await new Promise<void>((resolve, reject) => {
    const sent = request(
      {
        ...{ host: '127.0.0.1', port, ca, agent: false },
        path: `${path}?watch=1&resourceVersion=0`,
        headers: { authorization: `Bearer ${token}` },
      },
      (response) => {
        if (response.statusCode !== 200) reject(new Error(`${path}: ${response.statusCode ?? 0}`));
        response.once('data', () => resolve());
        response.resume();
      },
    );
    sent.on('error', reject);
    sent.end();
  });
}
announceReady({});
