import { resourcePath, RESOURCES, type ApiClient, type ApiResource, type KubeObject } from '@hawser/kube';

const NAMESPACE = 'default';
const MERGE_PATCH = 'application/merge-patch+json';
/** Calls under way at a time while many objects are made. */
const AT_A_TIME = 16;

/** A ConfigMap with one key. */
export function configMap(name: string, text: string, namespace = NAMESPACE): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data: { text } };
}

/** A pod that is bound to a node, and reads these configMaps. */
export function boundPod(name: string, node: string, configMaps: readonly string[] = []): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: NAMESPACE },
    spec: {
      nodeName: node,
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'main', image: 'registry.test/app:1' }],
      volumes: configMaps.map((configMap) => ({ name: configMap, configMap: { name: configMap } })),
    },
  };
}

/** Writes and reads objects of one namespace with a client of a site. */
export class SiteObjects {
  readonly #client: () => ApiClient;
  readonly #namespace: string;

  /** @param client read anew for each call: a control plane that was started again has another */
  constructor(client: () => ApiClient, namespace = NAMESPACE) {
    this.#client = client;
    this.#namespace = namespace;
  }

  async create(object: KubeObject): Promise<KubeObject> {
    const path = resourcePath(resourceOf(object), { namespace: this.#namespace });
    return (await this.#client().request({ method: 'POST', path, body: object })) as KubeObject;
  }

  /** Creates many, some at a time. */
  async createAll(objects: readonly KubeObject[]): Promise<void> {
    await atATime(objects, async (object) => {
      await this.create(object);
    });
  }

  async get(resource: ApiResource, name: string, namespace = this.#namespace): Promise<KubeObject> {
    const path = resourcePath(resource, { ...(resource.namespaced && { namespace }), name });
    return (await this.#client().request({ method: 'GET', path })) as KubeObject;
  }

  /** All of a resource, in every namespace. */
  async list(resource: ApiResource): Promise<readonly KubeObject[]> {
    const path = resourcePath(resource, {});
    const { items } = (await this.#client().request({ method: 'GET', path })) as {
      items: readonly KubeObject[];
    };
    return items;
  }

  /** Puts another text into ConfigMaps. */
  async setText(names: readonly string[], text: string): Promise<void> {
    await atATime(names, (name) => this.patch(RESOURCES.configmaps, name, { data: { text } }));
  }

  async patch(resource: ApiResource, name: string, body: object): Promise<void> {
    const path = resourcePath(resource, { ...(resource.namespaced && { namespace: this.#namespace }), name });
    await this.#client().request({ method: 'PATCH', path, body, contentType: MERGE_PATCH });
  }

  /** Deletes objects; with `force` without waiting for the node that has them. */
  async remove(resource: ApiResource, names: readonly string[], force = false): Promise<void> {
    await atATime(names, async (name) => {
      const path = resourcePath(resource, {
        ...(resource.namespaced && { namespace: this.#namespace }),
        name,
      });
      const body = force ? { gracePeriodSeconds: 0 } : {};
      await this.#client().request({ method: 'DELETE', path, body });
    });
  }
}

function resourceOf({ kind }: KubeObject): ApiResource {
  const found = Object.values(RESOURCES).find((resource) => resource.kind === kind);
  if (found === undefined) throw new TypeError(`no resource has the kind ${kind}`);
  return found;
}

async function atATime<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  const worker = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(AT_A_TIME, items.length) }, worker));
}
