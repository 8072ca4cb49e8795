import { jsonEqual, type JsonObject } from '../../meta/json.ts';
import { StructuralSchema } from '../../schema/structural-schema.ts';
import { field, type FieldError } from '../../status/field-error.ts';
import { methodNotSupported } from '../../status/status-errors.ts';
import { without, type Draft } from '../draft.ts';
import { PART_VERBS, storageVersionHash } from '../builtin/define.ts';
import { keep } from '../builtin/strategies.ts';
import {
  apiVersionOf,
  type ObjectCodec,
  type ResourceDefinition,
  type ResourceStrategy,
  type SubresourceDefinition,
  type UpdateStrategy,
} from '../registry/definition.ts';
import { decodedMeta } from '../registry/typed-codec.ts';
import { decodeStruct } from '../types/decode.ts';
import type { CrdNames, CrdSpec, CrdVersion } from './crd-types.ts';
import { customPrinter } from './custom-printer.ts';
import { customScale } from './custom-scale.ts';
import { JsonPath } from './json-path.ts';

const VERBS = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'];
/** Members that are no part of what a generation counts. */
const NOT_COUNTED = ['apiVersion', 'kind', 'metadata'];

/**
 * The definitions that serve a CustomResourceDefinition: one per served version, over one storage.
 * `names`: those that were accepted. `terminating`: nothing new is created any more.
 */
export function customResources(spec: CrdSpec, names: CrdNames, terminating: boolean): ResourceDefinition[] {
  const storage = spec.versions.find((version) => version.storage) ?? spec.versions[0];
  if (storage === undefined) return [];
  return spec.versions
    .filter((version) => version.served)
    .map((version) => new CustomVersion(spec, names, version, storage, terminating).definition());
}

/** One version of a custom resource. */
class CustomVersion {
  readonly #spec: CrdSpec;
  readonly #names: CrdNames;
  readonly #version: CrdVersion;
  readonly #storage: CrdVersion;
  readonly #terminating: boolean;
  readonly #schema: StructuralSchema | undefined;

  constructor(
    spec: CrdSpec,
    names: CrdNames,
    version: CrdVersion,
    storage: CrdVersion,
    terminating: boolean,
  ) {
    this.#spec = spec;
    this.#names = names;
    this.#version = version;
    this.#storage = storage;
    this.#terminating = terminating;
    const schema = version.schema?.openAPIV3Schema;
    this.#schema = schema === undefined ? undefined : new StructuralSchema(schema);
  }

  definition(): ResourceDefinition {
    const { group, scope } = this.#spec;
    const { plural, singular, shortNames = [], kind, listKind, categories = [] } = this.#names;
    const version = this.#version;
    const selectable = (version.selectableFields ?? []).map(({ jsonPath }) => jsonPath.replace(/^\./, ''));
    const paths = selectable.map((path) => [path, new JsonPath(`.${path}`)] as const);
    return {
      group,
      version: version.name,
      kind,
      listKind: listKind ?? `${kind}List`,
      resource: plural,
      singular: singular ?? kind.toLowerCase(),
      shortNames,
      categories,
      namespaced: scope === 'Namespaced',
      verbs: VERBS,
      subresources: this.#subresources(),
      storageVersionHash: storageVersionHash(group, this.#storage.name, kind),
      storage: { group, resource: plural },
      codec: this.#codec(),
      strategy: this.#strategy(),
      // Those that know more fields than the two of metadata name the unknown one; see `selection`.
      fieldNames: selectable,
      fields: (object) =>
        Object.fromEntries(paths.map(([name, path]) => [name, fieldText(path.find(object)[0])])),
      table: customPrinter(version.additionalPrinterColumns),
      custom: true,
      deprecationWarning: this.#deprecation(kind),
      action: undefined,
      struct: undefined,
      openApiSchema: version.schema?.openAPIV3Schema,
    };
  }

  #deprecation(kind: string): string | undefined {
    const { deprecated, deprecationWarning, name } = this.#version;
    if (deprecated !== true) return undefined;
    return deprecationWarning ?? `${this.#spec.group}/${name} ${kind} is deprecated`;
  }

  #codec(): ObjectCodec {
    const { group } = this.#spec;
    const stored = apiVersionOf({ group, version: this.#storage.name });
    const shown = apiVersionOf({ group, version: this.#version.name });
    const { kind } = this.#names;
    const schema = this.#schema;
    return {
      decode(value, unknown) {
        const metadata = decodedMeta(decodeStruct('ObjectMeta', value['metadata'], unknown, 'metadata'));
        const known = pruned(schema, value, unknown);
        return { apiVersion: stored, kind, metadata, ...without(known, ...NOT_COUNTED) };
      },
      encode: (object) => (object.apiVersion === shown ? object : { ...object, apiVersion: shown }),
    };
  }

  #strategy(): ResourceStrategy {
    const schema = this.#schema;
    const hasStatus = this.#version.subresources?.status !== undefined;
    const errors = (draft: Draft): FieldError[] => this.#errors(draft);
    return {
      allowUnconditionalUpdate: false,
      default(draft) {
        if (schema !== undefined) Object.assign(draft, without(schema.applyDefaults(draft), ...NOT_COUNTED));
      },
      prepareForCreate: (draft) => {
        if (this.#terminating) {
          throw methodNotSupported({ group: this.#spec.group, resource: this.#names.plural }, 'create');
        }
        if (hasStatus) delete draft['status'];
        draft.metadata.generation = 1;
      },
      validate: errors,
      prepareForUpdate(draft, old) {
        if (hasStatus) keep(draft, old, 'status');
        const counted = (object: object): object =>
          without(object, ...NOT_COUNTED, ...(hasStatus ? ['status'] : []));
        if (!jsonEqual(counted(draft), counted(old))) {
          draft.metadata.generation = (old.metadata.generation ?? 0) + 1;
        }
      },
      validateUpdate: errors,
    };
  }

  #statusStrategy(): UpdateStrategy {
    const whole = this.#schema;
    const schema = whole?.member('status');
    return {
      /** Only the status is written; metadata stays as it is, but for the version that is compared. */
      prepareForUpdate(draft, old) {
        const { status } = draft;
        const { resourceVersion } = draft.metadata;
        for (const key of Object.keys(draft)) if (key !== 'status') Reflect.deleteProperty(draft, key);
        Object.assign(draft, structuredClone(without(old, 'status')));
        if (resourceVersion !== undefined) draft.metadata.resourceVersion = resourceVersion;
        if (status === undefined) delete draft['status'];
      },
      validateUpdate(draft) {
        if (whole === undefined || schema === undefined) return [];
        const found = schema.validate(draft['status'] ?? {}, 'status');
        found.push(...schema.listErrors(draft['status'], 'status'));
        return [...found, ...whole.uncheckedRules(found)];
      },
    };
  }

  #errors(draft: Draft): FieldError[] {
    const schema = this.#schema;
    if (schema === undefined) return [];
    const value = { ...draft };
    const found = [...schema.validate(value)];
    const scale = this.#version.subresources?.scale;
    if (scale !== undefined) {
      const [replicas] = new JsonPath(scale.specReplicasPath).find(value);
      if (typeof replicas === 'number' && replicas < 0) {
        found.push(field.invalid(scale.specReplicasPath, replicas, 'should be a non-negative integer'));
      }
    }
    found.push(...schema.listErrors(value));
    return [...found, ...schema.uncheckedRules(found)];
  }

  #subresources(): SubresourceDefinition[] {
    const { subresources } = this.#version;
    const found: SubresourceDefinition[] = [];
    if (subresources?.status !== undefined) {
      const strategy = this.#statusStrategy();
      found.push({ name: 'status', verbs: PART_VERBS, behaviour: { type: 'part', strategy } });
    }
    if (subresources?.scale !== undefined) {
      found.push({
        name: 'scale',
        verbs: PART_VERBS,
        responseKind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
        behaviour: { type: 'scale', scale: customScale(subresources.scale) },
      });
    }
    return found;
  }
}

function pruned(schema: StructuralSchema | undefined, value: JsonObject, unknown: string[]): JsonObject {
  if (schema === undefined) return value;
  const { object, unknownFields } = schema.prune(value);
  unknown.push(...unknownFields);
  return object;
}

function fieldText(value: unknown): string {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}
