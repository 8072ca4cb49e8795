import type { KubeObject } from '../../meta/object.ts';
import type { Entry } from '../../store/store.ts';
import type { ResourceDefinition, ScaleAccess } from '../registry/definition.ts';
import { listJson } from '../rest/object-json.ts';
import { scaleOf } from '../rest/scale.ts';
import { includeObject, partialObject, tableOf, type ListMeta } from '../table/table.ts';
import { formNotAcceptable, notAList } from './negotiation.ts';
import type { RequestContext } from './request-context.ts';

/** Answers objects and lists in the form that was asked for. */
export class ObjectAnswer {
  readonly #context: RequestContext;
  readonly #definition: ResourceDefinition;
  readonly #nowMs: number;

  constructor(context: RequestContext, definition: ResourceDefinition, nowMs: number) {
    this.#context = context;
    this.#definition = definition;
    this.#nowMs = nowMs;
  }

  /**
   * Checks the part of the query that is about the form, before work is done.
   * @throws StatusError BadRequest.
   */
  checkQuery(): void {
    if (this.#context.representation.form === 'Table') includeObject(this.#context.query);
  }

  /** Answers one object, given as stored. `json`: makes its JSON where that is cheaper than serialising it. */
  async object(code: number, stored: KubeObject, json?: () => Buffer): Promise<void> {
    const { representation, respond } = this.#context;
    const { form, formVersion } = representation;
    switch (form) {
      case 'Object':
        await respond.object(code, json?.() ?? this.#definition.codec.encode(stored), representation);
        return;
      case 'Table':
        await respond.object(code, this.#table([stored], versionOf(stored)), representation);
        return;
      case 'PartialObjectMetadata':
        await respond.object(
          code,
          partialObject(this.#definition.codec.encode(stored), formVersion),
          representation,
        );
        return;
      case 'PartialObjectMetadataList':
        throw notAList(form, this.#definition.kind);
    }
  }

  /** Answers a list. */
  async list(entries: readonly Entry[], metadata: ListMeta): Promise<void> {
    const { representation, respond } = this.#context;
    switch (representation.form) {
      case 'Object':
        await respond.object(200, listJson(this.#definition, entries, metadata), representation);
        return;
      case 'Table': {
        const objects = entries.map(({ object }) => object);
        await respond.object(200, this.#table(objects, metadata), representation);
        return;
      }
      case 'PartialObjectMetadataList': {
        const version = representation.formVersion;
        const list = {
          kind: 'PartialObjectMetadataList',
          apiVersion: `meta.k8s.io/${version}`,
          metadata,
          items: entries.map(({ object }) => partialObject(object, version)),
        };
        await respond.object(200, list, representation);
        return;
      }
      case 'PartialObjectMetadata':
        throw formNotAcceptable();
    }
  }

  /** Answers the Scale of an object. */
  async scale(code: number, access: ScaleAccess, stored: KubeObject): Promise<void> {
    const { representation, respond } = this.#context;
    await respond.object(code, scaleOf(access, stored), representation);
  }

  #table(stored: readonly KubeObject[], metadata: ListMeta): object {
    const { query, representation } = this.#context;
    const objects = stored.map((object) => this.#definition.codec.encode(object));
    const request = {
      includeObject: includeObject(query),
      version: representation.formVersion,
      nowMs: this.#nowMs,
    };
    return tableOf(this.#definition.table, objects, metadata, request);
  }
}

function versionOf(object: KubeObject): ListMeta {
  return { resourceVersion: object.metadata.resourceVersion ?? '' };
}
