// Asks the local API what it is asked to: `node asker.js KUBECONFIG`.
import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { answerQuestions } from '../../../src/cluster-site/ipc-calls.ts';
import { announceReady } from '../../../src/processes/in-child.ts';

interface Kubeconfig {
  readonly clusters: readonly [
    { readonly cluster: { readonly server: string; readonly 'certificate-authority-data': string } },
  ];
  readonly users: readonly [{ readonly user: { readonly token: string } }];
}

const { clusters, users } = JSON.parse(await readFile(process.argv[2] ?? '', 'utf8')) as Kubeconfig;
const [{ cluster }] = clusters;
const [{ user }] = users;

function get(path: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const ca = Buffer.from(cluster['certificate-authority-data'], 'base64');
    const headers = { authorization: `Bearer ${user.token}` };
    const sent = request(new URL(path, cluster.server), { ca, headers }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => {
        const text = Buffer.concat(parts).toString();
        if (response.statusCode === 200) resolve(JSON.parse(text));
        else reject(new Error(`${path}: ${response.statusCode ?? 0} ${text}`));
      });
    });
    sent.on('error', reject);
    sent.end();
  });
}

answerQuestions({ get: (path: string) => get(path) });
process.once('SIGTERM', () => process.exit(0));
announceReady({});
