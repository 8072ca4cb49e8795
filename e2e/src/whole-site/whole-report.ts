import { readFile } from 'node:fs/promises';
import { DEVICES } from '@hawser/cloudcore';
import { RESOURCES, type KubeObject } from '@hawser/kube';
import { podsInRuntime } from '../pods-site/running-containers.ts';
import type { NodeChild } from '../processes/node-child.ts';
import type { WholeMember } from './whole-member.ts';
import type { WholeSite } from './whole-site.ts';

const LOG_LINES = 12;
const LONGEST_LINE = 600;

/** Everything that tells why a site is not as it should be: objects, states, and the last words of each process. */
export async function wholeReport(site: WholeSite): Promise<string> {
  const { cluster, containerd } = site;
  const parts = [
    section('pods in the API', async () => shown((await cluster.objects.list(RESOURCES.pods)).map(podLine))),
    section('devices in the API', async () => shown((await cluster.objects.list(DEVICES)).map(statusLine))),
    section('nodes in the API', async () =>
      shown((await cluster.objects.list(RESOURCES.nodes)).map(nodeLine)),
    ),
    section('containers', async () => shown(await podsInRuntime(containerd))),
    ...site.members.flatMap((member) => memberSections(member)),
    section('control plane says', () => lastWords(cluster.controlPlane)),
    section('hub says', () => lastWords(cluster.hub())),
    ...site.members.map(({ name, edge }) => section(`${name} says`, () => lastWords(edge.process))),
    section('containerd says', async () => lastLines(await readFile(containerd.logFile, 'utf8'))),
  ];
  return (await Promise.all(parts)).join('\n');
}

function memberSections({ name, edge }: WholeMember): Promise<string>[] {
  const { admin } = edge;
  return [
    section(`${name}: status`, async () => {
      const { node, session, scopes, outbox, problems } = await admin.status();
      return JSON.stringify({ node, session, scopes, outbox, problems });
    }),
    section(`${name}: pods`, async () => shown((await admin.pods()).items)),
    section(`${name}: devices`, async () => shown((await admin.devices()).items)),
    section(`${name}: pool`, async () => JSON.stringify(await admin.pool())),
  ];
}

/** What cannot be found out is told, too. */
async function section(title: string, text: () => string | Promise<string>): Promise<string> {
  try {
    return `--- ${title}\n${await text()}`;
  } catch (error) {
    return `--- ${title}: ${String(error)}`;
  }
}

function podLine({ metadata, status, spec }: KubeObject): object {
  const { name, uid, deletionTimestamp } = metadata;
  const { nodeName } = (spec ?? {}) as { readonly nodeName?: string };
  return { name, uid, nodeName, deletionTimestamp, status };
}

function statusLine({ metadata: { name }, spec, status }: KubeObject): object {
  const { properties } = (spec ?? {}) as { readonly properties?: readonly { readonly desired?: object }[] };
  return { name, desired: properties?.map(({ desired }) => desired), status };
}

function nodeLine({ metadata: { name, labels }, status }: KubeObject): object {
  const { conditions } = (status ?? {}) as { readonly conditions?: readonly { readonly type: string }[] };
  return { name, labels, ready: conditions?.find(({ type }) => type === 'Ready') };
}

function shown(items: readonly object[]): string {
  return items.map((item) => JSON.stringify(item)).join('\n');
}

function lastWords({ stderr, stdout, exit }: NodeChild): string {
  const end = exit === undefined ? '' : `\nended: ${JSON.stringify(exit)}`;
  return `${lastLines(stdout + stderr)}${end}`;
}

function lastLines(text: string): string {
  const lines = text.trimEnd().split('\n').slice(-LOG_LINES);
  return lines.map((line) => line.slice(0, LONGEST_LINE)).join('\n');
}
