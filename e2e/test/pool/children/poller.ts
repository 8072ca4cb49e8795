// Reads all EndpointSlices from the local API again and again, and says each answer that is no success:
// `node poller.js KUBECONFIG`.
import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { announceReady } from '../../../src/processes/in-child.ts';

interface Kubeconfig {
  readonly clusters: readonly [
    { readonly cluster: { readonly server: string; readonly 'certificate-authority-data': string } },
  ];
  readonly users: readonly [{ readonly user: { readonly token: string } }];
}

const EVERY_MS = 100;
const PATH = '/apis/discovery.k8s.io/v1/endpointslices';

const { clusters, users } = JSON.parse(await readFile(process.argv[2] ?? '', 'utf8')) as Kubeconfig;
const [{ cluster }] = clusters;
const [{ user }] = users;

/** Status and number of objects; 0: no answer. */
function read(): Promise<{ readonly code: number; readonly count: number }> {
  return new Promise((resolve) => {
    const ca = Buffer.from(cluster['certificate-authority-data'], 'base64');
    const headers = { authorization: `Bearer ${user.token}` };
    const sent = request(new URL(PATH, cluster.server), { ca, headers }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => {
        const code = response.statusCode ?? 0;
        const list =
          code === 200 ? (JSON.parse(Buffer.concat(parts).toString()) as { items: unknown[] }) : undefined;
        resolve({ code, count: list?.items.length ?? 0 });
      });
    });
    sent.on('error', () => resolve({ code: 0, count: 0 }));
    sent.end();
  });
}

process.once('SIGTERM', () => process.exit(0));
announceReady({});
for (;;) {
  process.send?.(await read());
  await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
}
