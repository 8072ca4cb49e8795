import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { resourcePath, RESOURCES, type ApiResource, type KubeObject } from '@hawser/kube';
import { eventually, freePort } from '@hawser/seams/testing';
import { ClusterSite, type ClusterSiteOptions } from '../../src/cluster-site/cluster-site.ts';
import { boundPod } from '../../src/cluster-site/site-objects.ts';
import type { SiteEdge } from '../../src/cluster-site/site-edge.ts';
import { Program, type ApiPlace } from './program.ts';

const GROUP = 'rbac.authorization.k8s.io';
const ROLES = rbac('roles', 'Role');
const ROLE_BINDINGS = rbac('rolebindings', 'RoleBinding');

/**
 * A cluster with two edges that serve the local API, and on each pods of service accounts: `editor` may do everything
 * with ConfigMaps of `default`, `reader` read them, `viewer` nothing.
 */
export class AccessSite {
  readonly cluster: ClusterSite;
  readonly #programs: Program[] = [];
  readonly #direct: ApiPlace;
  readonly #uids = new Map<string, string>();

  private constructor(cluster: ClusterSite, direct: ApiPlace) {
    this.cluster = cluster;
    this.#direct = direct;
  }

  static async open(options: ClusterSiteOptions = {}): Promise<AccessSite> {
    const cluster = await ClusterSite.open(options);
    try {
      const site = new AccessSite(cluster, await placeOf(cluster.kubeconfig));
      for (const account of ['editor', 'reader', 'viewer']) await site.#account(account);
      await site.#allow('editor', ['configmaps'], ['*']);
      await site.#allow('reader', ['configmaps'], ['get', 'list', 'watch']);
      return site;
    } catch (error) {
      await cluster.close();
      throw error;
    }
  }

  /** An edge that runs, with a local API and a pod `<account>-<node>` for each account. */
  async edge(node: string, accounts: readonly string[]): Promise<SiteEdge> {
    const edge = await this.cluster.edge(node, {
      config: { localApi: { port: await freePort(), address: '' } },
    });
    for (const account of accounts) {
      const pod = boundPod(`${account}-${node}`, node);
      const spec = { ...(pod['spec'] as object), serviceAccountName: account };
      const { metadata } = await this.cluster.objects.create({ ...pod, spec });
      this.#uids.set(`${account}-${node}`, metadata.uid ?? '');
    }
    await eventually('it has its pods', async () => {
      const objects = [...(await edge.objects()).keys()];
      return accounts.every((account) => objects.includes(`pods/default/${account}-${node}`));
    });
    return edge;
  }

  /** Of the pod `<account>-<node>`. */
  uid(pod: string): string {
    return this.#uids.get(pod) ?? '';
  }

  /** A token as a kubelet gets it for the pod `<account>-<node>`. */
  async token(account: string, node: string): Promise<string> {
    const name = `${account}-${node}`;
    const boundObjectRef = { apiVersion: 'v1', kind: 'Pod', name, uid: this.uid(name) };
    const where = resourcePath(RESOURCES.serviceaccounts, {
      namespace: 'default',
      name: account,
      subresource: 'token',
    });
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { boundObjectRef } };
    const answer = (await this.cluster.client.request({ method: 'POST', path: where, body })) as {
      readonly status: { readonly token: string };
    };
    return answer.status.token;
  }

  /** A program with this token at the local API of an edge. */
  async at(edge: SiteEdge, token: string): Promise<Program> {
    const { port, certificate: ca } = await this.place(edge);
    return this.#program({ port, ca }, token);
  }

  /** The local API of an edge. */
  async place(edge: SiteEdge): Promise<{ readonly port: number; readonly certificate: string }> {
    const api = await edge.admin.localApi();
    if (api === undefined) throw new TypeError(`${edge.node} has no local API`);
    return api;
  }

  /** A kubeconfig of a program with this token at the local API of an edge. */
  async kubeconfig(edge: SiteEdge, token: string): Promise<string> {
    const { port, certificate } = await this.place(edge);
    const name = 'local';
    const cluster = {
      server: `https://127.0.0.1:${port}`,
      'certificate-authority-data': Buffer.from(certificate).toString('base64'),
    };
    const config = {
      ...{ apiVersion: 'v1', kind: 'Config', 'current-context': name },
      clusters: [{ name, cluster }],
      users: [{ name, user: { token } }],
      contexts: [{ name, context: { cluster: name, user: name } }],
    };
    const file = path.join(this.cluster.dir, `${edge.node}.kubeconfig`);
    await writeFile(file, JSON.stringify(config)); // JSON is YAML
    return file;
  }

  /** The same program at the API server itself. */
  direct(token: string): Program {
    return this.#program(this.#direct, token);
  }

  async close(): Promise<void> {
    for (const program of this.#programs) program.close();
    await this.cluster.close();
  }

  #program(place: ApiPlace, token: string): Program {
    const program = new Program(place, token);
    this.#programs.push(program);
    return program;
  }

  async #account(name: string): Promise<void> {
    await this.#post(RESOURCES.serviceaccounts, {
      ...{ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace: 'default' } },
    });
  }

  async #allow(name: string, resources: readonly string[], verbs: readonly string[]): Promise<void> {
    const base = { apiVersion: `${GROUP}/v1`, metadata: { name, namespace: 'default' } };
    await this.#post(ROLES, { ...base, kind: 'Role', rules: [{ apiGroups: [''], resources, verbs }] });
    await this.#post(ROLE_BINDINGS, {
      ...{ ...base, kind: 'RoleBinding', roleRef: { apiGroup: GROUP, kind: 'Role', name } },
      subjects: [{ kind: 'ServiceAccount', name, namespace: 'default' }],
    });
  }

  async #post(resource: ApiResource, body: KubeObject): Promise<void> {
    const where = resourcePath(resource, { namespace: 'default' });
    await this.cluster.client.request({ method: 'POST', path: where, body });
  }
}

function rbac(resource: string, kind: string): ApiResource {
  return { group: GROUP, version: 'v1', resource, kind, namespaced: true };
}

async function placeOf(kubeconfig: string): Promise<ApiPlace> {
  const { clusters } = JSON.parse(await readFile(kubeconfig, 'utf8')) as {
    clusters: { cluster: Readonly<Record<string, string>> }[];
  };
  const cluster = clusters[0]?.cluster ?? {};
  const ca = Buffer.from(cluster['certificate-authority-data'] ?? '', 'base64').toString();
  return { port: Number(new URL(cluster['server'] ?? '').port), ca };
}
