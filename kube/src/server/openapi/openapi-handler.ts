import { createHash } from 'node:crypto';
import type { PathContext, PathHandler } from '../http/api-handler.ts';
import { apiVersionOf, type ResourceDefinition } from '../registry/definition.ts';
import type { Registry } from '../registry/registry.ts';
import { FIELDS } from '../types/generated/fields.ts';
import { openApiV2, V2_MEDIA_TYPE } from './v2.ts';
import { openApiV3 } from './v3.ts';

/**
 * Serves /openapi/v2 and /openapi/v3. Documents are made when they are asked for, and not kept: clients keep them on
 * disk, by the hash in their URL.
 */
export class OpenApiHandler implements PathHandler {
  readonly #registry: Registry;
  readonly #version: string;
  #hashes: { revision: number; byPath: ReadonlyMap<string, string> } | undefined;

  constructor(registry: Registry, version: string) {
    this.#registry = registry;
    this.#version = version;
  }

  async handle(context: PathContext): Promise<boolean> {
    if (context.path === '/openapi/v2') {
      await this.#send(context, V2_MEDIA_TYPE, openApiV2(this.#registry.all(), this.#version));
      return true;
    }
    if (!context.path.startsWith('/openapi/v3')) return false;
    const path = context.path.slice('/openapi/v3'.length).replace(/^\//, '');
    if (path === '') {
      await this.#send(context, 'application/json', this.#index());
      return true;
    }
    const definitions = this.#groupVersions().get(path);
    if (definitions === undefined) return false;
    const document = openApiV3(definitions, this.#version);
    await this.#send(context, 'application/json', Buffer.from(JSON.stringify(document)));
    return true;
  }

  async #send({ request, respond }: PathContext, type: string, body: Buffer): Promise<void> {
    const etag = `"${createHash('sha512').update(body).digest('hex').toUpperCase()}"`;
    const headers = { ETag: etag, Vary: 'Accept' };
    if (request.headers['if-none-match'] === etag) respond.raw.writeHead(304, headers).end();
    else await respond.bytes(200, type, body, headers);
  }

  #index(): Buffer {
    const paths = [...this.#pathHashes()].map(([path, hash]): [string, object] => [
      path,
      { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` },
    ]);
    return Buffer.from(JSON.stringify({ paths: Object.fromEntries(paths) }));
  }

  /** Definitions by the path of their document: `api/v1`, `apis/apps/v1`. */
  #groupVersions(): Map<string, ResourceDefinition[]> {
    const found = new Map<string, ResourceDefinition[]>();
    for (const definition of this.#registry.all()) {
      const path = `${definition.group === '' ? 'api' : 'apis'}/${apiVersionOf(definition)}`;
      found.set(path, [...(found.get(path) ?? []), definition]);
    }
    return found;
  }

  /** Hashes of what the documents are made of, which is cheaper than making them. */
  #pathHashes(): ReadonlyMap<string, string> {
    const { revision } = this.#registry;
    if (this.#hashes?.revision === revision) return this.#hashes.byPath;
    const byPath = new Map<string, string>();
    for (const [path, definitions] of this.#groupVersions()) {
      const hash = createHash('sha512').update(this.#version).update(FIELDS);
      for (const { resource, kind, verbs, openApiSchema } of definitions) {
        hash.update(JSON.stringify([resource, kind, verbs, openApiSchema]));
      }
      byPath.set(path, hash.digest('hex').toUpperCase());
    }
    this.#hashes = { revision, byPath };
    return byPath;
  }
}
