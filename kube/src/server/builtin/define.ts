import { createHash } from 'node:crypto';
import {
  apiVersionOf,
  type FieldLabels,
  type ObjectCodec,
  type ResourceDefinition,
  type ResourceStrategy,
  type SubresourceDefinition,
} from '../registry/definition.ts';
import { typedCodec } from '../registry/typed-codec.ts';
import { genericPrinter } from '../table/default-printer.ts';
import type { TablePrinter } from '../table/printer.ts';
import type { GroupResource } from '../../store/store.ts';

/** What a built-in resource says of itself; the rest has defaults. */
export interface BuiltIn {
  /** Default the core group. */
  readonly group?: string;
  /** Default v1. */
  readonly version?: string;
  readonly kind: string;
  /** Lower-case plural. */
  readonly resource: string;
  /** Default the kind in lower case. */
  readonly singular?: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  /** Default true. */
  readonly namespaced?: boolean;
  /** Default all. */
  readonly verbs?: readonly string[];
  readonly subresources?: readonly SubresourceDefinition[];
  /** Default none: the object is stored as it comes. */
  readonly strategy?: ResourceStrategy;
  /** Names of selectable fields beside those of metadata, and their values. */
  readonly fieldNames?: readonly string[];
  readonly fields?: FieldLabels;
  readonly table?: TablePrinter;
  /** Default the kind. */
  readonly struct?: string;
  readonly storage?: GroupResource;
  readonly codec?: ObjectCodec;
  /** Where the API server stores another version than it serves: that version. */
  readonly storedVersion?: string;
  /** For kinds that are never stored. */
  readonly action?: string;
}

/** The verbs of resources that are stored. */
export const ALL_VERBS = [
  ...['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
] as const;

/** The verbs of status and the like. */
export const PART_VERBS = ['get', 'patch', 'update'] as const;

/** Makes the definition of a built-in resource. */
export function builtIn(spec: BuiltIn): ResourceDefinition {
  const { group = '', version = 'v1', kind, resource, struct = kind, action } = spec;
  const groupVersion = { group, version };
  return {
    ...groupVersion,
    kind,
    listKind: `${kind}List`,
    resource,
    singular: spec.singular ?? kind.toLowerCase(),
    shortNames: spec.shortNames ?? [],
    categories: spec.categories ?? [],
    namespaced: spec.namespaced ?? true,
    verbs: spec.verbs ?? (action === undefined ? ALL_VERBS : ['create']),
    subresources: spec.subresources ?? [],
    storageVersionHash:
      action === undefined ? storageVersionHash(group, spec.storedVersion ?? version, kind) : undefined,
    storage: spec.storage ?? { group, resource },
    codec: spec.codec ?? typedCodec(struct, kind, apiVersionOf(groupVersion)),
    strategy: spec.strategy ?? {},
    fieldNames: spec.fieldNames ?? [],
    fields: spec.fields ?? (() => ({})),
    table: spec.table ?? genericPrinter,
    custom: false,
    deprecationWarning: undefined,
    action,
    struct,
    openApiSchema: undefined,
  };
}

/** Source: k8s.io/apiserver discovery StorageVersionHash. */
export function storageVersionHash(group: string, version: string, kind: string): string {
  const digest = createHash('sha256').update(`${group}/${version}/${kind}`).digest();
  return digest.subarray(0, 8).toString('base64');
}
