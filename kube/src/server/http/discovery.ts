import { createHash } from 'node:crypto';
import { apiVersionOf, type ResourceDefinition, type SubresourceDefinition } from '../registry/definition.ts';
import type { Registry, ServedGroup, ServedVersion } from '../registry/registry.ts';
import type { PathContext, PathHandler } from './api-handler.ts';
import { acceptRanges, negotiate } from './negotiation.ts';

/** What /version answers. Source: k8s.io/apimachinery version.Info. */
export interface VersionInfo {
  readonly major: string;
  readonly minor: string;
  /** E.g. `v1.36.2`. */
  readonly gitVersion: string;
  readonly gitCommit: string;
  readonly gitTreeState: string;
  /** RFC 3339. */
  readonly buildDate: string;
  readonly goVersion: string;
  readonly compiler: string;
  readonly platform: string;
  readonly emulationMajor: string;
  readonly emulationMinor: string;
  readonly minCompatibilityMajor: string;
  readonly minCompatibilityMinor: string;
}

type AggregatedVersion = 'v2' | 'v2beta1';

/** Serves /version, /, /api, /apis and below: what there is. */
export class DiscoveryHandler implements PathHandler {
  readonly #registry: Registry;
  readonly #version: VersionInfo;
  readonly #address: () => string;
  readonly #documents = new Map<string, { revision: number; body: Buffer; etag: string }>();

  /** `address`: `host:port` under which clients reach the server. */
  constructor(registry: Registry, version: VersionInfo, address: () => string) {
    this.#registry = registry;
    this.#version = version;
    this.#address = address;
  }

  async handle(context: PathContext): Promise<boolean> {
    const parts = context.path.split('/').filter((part) => part !== '');
    const [first, second, third] = parts;
    switch (first) {
      case undefined:
        await this.#object(context, { paths: this.#paths() });
        return true;
      case 'version':
        if (second !== undefined) return false;
        await this.#object(context, this.#version);
        return true;
      case 'api':
        if (second === undefined) await this.#root(context, '/api', ['']);
        else await this.#resources(context, '', second);
        return true;
      case 'apis':
        if (second === undefined) await this.#root(context, '/apis', undefined);
        else if (third !== undefined) await this.#resources(context, second, third);
        else await this.#group(context, second);
        return true;
      default:
        return false;
    }
  }

  #paths(): string[] {
    const groups = this.#registry.groups().flatMap(({ name, versions }) => {
      const root = name === '' ? '/api' : `/apis/${name}`;
      return [root, ...versions.map(({ version }) => `${root}/${version}`)];
    });
    const fixed = [
      '/apis',
      '/healthz',
      '/livez',
      '/metrics',
      '/openapi/v2',
      '/openapi/v3',
      '/readyz',
      '/version',
    ];
    return [...groups, ...fixed].sort();
  }

  async #root(
    context: PathContext,
    path: '/api' | '/apis',
    groups: readonly string[] | undefined,
  ): Promise<void> {
    const aggregated = aggregatedVersion(context.accept);
    if (aggregated !== undefined) {
      await this.#aggregated(context, path, aggregated);
      return;
    }
    if (groups !== undefined) {
      const served = groups.flatMap((name) => this.#registry.group(name)?.versions ?? []);
      await this.#object(context, {
        kind: 'APIVersions',
        versions: served.map(({ version }) => version),
        serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: this.#address() }],
      });
      return;
    }
    const named = this.#registry.groups().filter(({ name }) => name !== '');
    await this.#object(context, { kind: 'APIGroupList', apiVersion: 'v1', groups: named.map(apiGroup) });
  }

  async #group(context: PathContext, name: string): Promise<void> {
    const group = this.#registry.group(name);
    if (group === undefined) await context.respond.text(404, '404 page not found\n');
    else await this.#object(context, { kind: 'APIGroup', apiVersion: 'v1', ...apiGroup(group) });
  }

  async #resources(context: PathContext, groupName: string, versionName: string): Promise<void> {
    const group = this.#registry.group(groupName);
    const served = group?.versions.find(({ version }) => version === versionName);
    if (served !== undefined) {
      const groupVersion = apiVersionOf({ group: groupName, version: versionName });
      const head = groupName === '' ? {} : { apiVersion: 'v1' };
      const resources = served.resources.flatMap(apiResources);
      await this.#object(context, { kind: 'APIResourceList', ...head, groupVersion, resources });
    } else if (group === undefined) await context.respond.text(404, '404 page not found\n');
    else {
      const message = 'the server could not find the requested resource';
      await context.respond.status({
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Failure',
        message,
        reason: 'NotFound',
        details: {},
        code: 404,
      });
    }
  }

  async #object(context: PathContext, body: object): Promise<void> {
    const { request, accept, query, respond } = context;
    const userAgent = request.headers['user-agent'];
    const representation = negotiate(accept, { pretty: query.get('pretty'), userAgent });
    await respond.object(200, body, { ...representation, form: 'Object' });
  }

  async #aggregated(context: PathContext, path: '/api' | '/apis', version: AggregatedVersion): Promise<void> {
    const { body, etag } = this.#document(path, version);
    const headers = { 'Cache-Control': 'public', Vary: 'Accept', ETag: etag };
    const { request, respond } = context;
    const contentType = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
    if (request.headers['if-none-match'] === etag) {
      respond.raw.writeHead(304, headers).end();
      return;
    }
    await respond.bytes(200, contentType, body, headers);
  }

  #document(path: '/api' | '/apis', version: AggregatedVersion): { body: Buffer; etag: string } {
    const key = `${path} ${version}`;
    const { revision } = this.#registry;
    const known = this.#documents.get(key);
    if (known?.revision === revision) return known;
    const groups = this.#registry.groups().filter(({ name }) => (name === '') === (path === '/api'));
    const list = {
      kind: 'APIGroupDiscoveryList',
      apiVersion: `apidiscovery.k8s.io/${version}`,
      metadata: {},
      items: groups.map(groupDiscovery),
    };
    const body = Buffer.from(JSON.stringify(list));
    const etag = `"${createHash('sha512').update(body).digest('hex').toUpperCase()}"`;
    const document = { revision, body, etag };
    this.#documents.set(key, document);
    return document;
  }
}

function aggregatedVersion(accept: string | undefined): AggregatedVersion | undefined {
  for (const { type, parameters } of acceptRanges(accept)) {
    if (type !== 'application/json') continue;
    const { as, g, v } = parameters;
    if (as === undefined) return undefined;
    if (as === 'APIGroupDiscoveryList' && g === 'apidiscovery.k8s.io' && (v === 'v2' || v === 'v2beta1'))
      return v;
  }
  return undefined;
}

function apiGroup({ name, versions }: ServedGroup): object {
  const list = versions.map(({ version }) => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions: list, preferredVersion: list[0] };
}

function apiResources(definition: ResourceDefinition): object[] {
  const { resource, singular, namespaced, kind, verbs, shortNames, categories, storageVersionHash } =
    definition;
  const main = {
    name: resource,
    singularName: singular,
    namespaced,
    kind,
    verbs,
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(categories.length === 0 ? {} : { categories }),
    ...(storageVersionHash === undefined ? {} : { storageVersionHash }),
  };
  return [main, ...definition.subresources.map((subresource) => apiSubresource(definition, subresource))];
}

function apiSubresource(
  { resource, kind, namespaced }: ResourceDefinition,
  subresource: SubresourceDefinition,
): object {
  const { name, verbs, responseKind } = subresource;
  const foreign =
    responseKind === undefined || responseKind.group === ''
      ? {}
      : { group: responseKind.group, version: responseKind.version };
  return {
    name: `${resource}/${name}`,
    singularName: '',
    namespaced,
    ...foreign,
    kind: responseKind?.kind ?? kind,
    verbs,
  };
}

function groupDiscovery({ name, versions }: ServedGroup): object {
  return { metadata: name === '' ? {} : { name }, versions: versions.map(versionDiscovery) };
}

function versionDiscovery({ version, resources }: ServedVersion): object {
  return { version, resources: resources.map(resourceDiscovery), freshness: 'Current' };
}

function resourceDiscovery(definition: ResourceDefinition): object {
  const { resource, namespaced, singular, verbs, shortNames, categories, kind, subresources, custom } =
    definition;
  // Built-in resources leave group and version out where they are those of the list.
  const own = custom ? { group: definition.group, version: definition.version } : { group: '', version: '' };
  return {
    resource,
    responseKind: { ...own, kind },
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs,
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(categories.length === 0 ? {} : { categories }),
    ...(subresources.length === 0
      ? {}
      : {
          subresources: subresources.map(({ name, responseKind, verbs: subverbs }) => ({
            subresource: name,
            responseKind: responseKind ?? { ...own, kind },
            verbs: subverbs,
          })),
        }),
  };
}
