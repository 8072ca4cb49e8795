import type { IncomingMessage } from 'node:http';
import {
  createBootstrapPolicy,
  privilegedGroupAuthorizer,
  MASTERS,
  MemoryStore,
  NodeAuthorizer,
  NodeGraph,
  RbacAuthorizer,
  unionAuthorizer,
  userInfo,
  type KubeObject,
  type KubeServer,
  type ObjectKey,
  type UserInfo,
} from '@hawser/kube';
import { startKubeFixture, type KubeFixture } from '@hawser/kube/testing';
import { systemClock } from '@hawser/seams';

/** Who makes a request that is passed on, as JSON: this server believes it. */
export const CALLER_HEADER = 'x-test-caller';
const RBAC = 'rbac.authorization.k8s.io';

/** A control plane as the embedded one is put together, over a store in memory: what the local API is compared with. */
export class Cluster {
  readonly store = new MemoryStore();
  /** Tokens that it knows. */
  readonly tokens = new Map<string, UserInfo>();
  readonly requests: string[] = [];
  #fixture: KubeFixture | undefined;

  get url(): string {
    return this.#present().url;
  }

  get server(): KubeServer {
    return this.#present().server;
  }

  async start(): Promise<void> {
    const { store, tokens } = this;
    const rbac = new RbacAuthorizer(store);
    this.#fixture = await startKubeFixture({
      store,
      server: {
        authenticators: [{ authenticate: (request) => this.#authenticated(request) }],
        tokens: {
          authenticateToken(token) {
            const user = tokens.get(token);
            return user === undefined ? undefined : { user };
          },
        },
        rules: rbac,
        authorizer: unionAuthorizer([
          privilegedGroupAuthorizer(MASTERS),
          new NodeAuthorizer(new NodeGraph(store)),
          rbac,
        ]),
        plugins: [],
      },
    });
    await createBootstrapPolicy(store, systemClock.wallMs());
  }

  async stop(): Promise<void> {
    await this.#fixture?.stop();
  }

  async put(resource: string, object: object, group = ''): Promise<KubeObject> {
    const made = object as KubeObject; // as tests write them
    const { name = '', namespace = '' } = made.metadata;
    const key: ObjectKey = { group, resource, namespace, name };
    const present = this.store.get(key);
    const { object: stored } =
      present === undefined
        ? await this.store.create(key, made)
        : await this.store.update(key, present.resourceVersion, made);
    return stored;
  }

  async remove(resource: string, namespace: string, name: string, group = ''): Promise<void> {
    const key: ObjectKey = { group, resource, namespace, name };
    await this.store.delete(key, this.store.get(key)?.resourceVersion ?? 0);
  }

  /** Lets a service account of `default` do something everywhere. */
  async allow(account: string, rules: readonly object[]): Promise<void> {
    const metadata = { name: `test-${account}` };
    await this.put('clusterroles', { kind: 'ClusterRole', apiVersion: `${RBAC}/v1`, metadata, rules }, RBAC);
    await this.put(
      'clusterrolebindings',
      {
        kind: 'ClusterRoleBinding',
        apiVersion: `${RBAC}/v1`,
        metadata,
        roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: metadata.name },
        subjects: [{ kind: 'ServiceAccount', name: account, namespace: 'default' }],
      },
      RBAC,
    );
  }

  #authenticated({ headers, method, url }: IncomingMessage): UserInfo | undefined {
    this.requests.push(`${method ?? ''} ${url ?? ''}`);
    const caller = headers[CALLER_HEADER];
    if (caller === 'admin') return userInfo('admin', [MASTERS]);
    return caller === undefined ? undefined : (JSON.parse(String(caller)) as UserInfo); // of a test's cloud access
  }

  #present(): KubeFixture {
    if (this.#fixture === undefined) throw new TypeError('the cluster has not been started');
    return this.#fixture;
  }
}
