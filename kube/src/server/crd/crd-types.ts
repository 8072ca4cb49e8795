import type { JsonSchema } from '../../schema/json-schema.ts';

/** `spec.names`. */
export interface CrdNames {
  readonly plural: string;
  readonly singular?: string;
  readonly shortNames?: readonly string[];
  readonly kind: string;
  readonly listKind?: string;
  readonly categories?: readonly string[];
}

/** One of `additionalPrinterColumns`. */
export interface CrdColumn {
  readonly name: string;
  readonly type: string;
  readonly format?: string;
  readonly description?: string;
  readonly priority?: number;
  readonly jsonPath: string;
}

/** One of `spec.versions`. */
export interface CrdVersion {
  readonly name: string;
  readonly served: boolean;
  readonly storage: boolean;
  readonly deprecated?: boolean;
  readonly deprecationWarning?: string;
  readonly schema?: { readonly openAPIV3Schema?: JsonSchema };
  readonly subresources?: {
    readonly status?: object;
    readonly scale?: {
      readonly specReplicasPath: string;
      readonly statusReplicasPath: string;
      readonly labelSelectorPath?: string;
    };
  };
  readonly additionalPrinterColumns?: readonly CrdColumn[];
  readonly selectableFields?: readonly { readonly jsonPath: string }[];
}

/** `spec` of a CustomResourceDefinition; decoded, so of these types. */
export interface CrdSpec {
  readonly group: string;
  readonly names: CrdNames;
  readonly scope: string;
  readonly versions: readonly CrdVersion[];
  readonly conversion?: { readonly strategy: string };
}

/** One of `status.conditions`. */
export interface CrdCondition {
  readonly type: string;
  readonly status: string;
  readonly lastTransitionTime: string;
  readonly reason: string;
  readonly message: string;
}

/** `status`. */
export interface CrdStatus {
  readonly conditions: readonly CrdCondition[] | null;
  readonly acceptedNames: CrdNames;
  readonly storedVersions: readonly string[] | null;
}

/** Put on a CustomResourceDefinition that is being deleted, until its objects are gone. */
export const CLEANUP_FINALIZER = 'customresourcecleanup.apiextensions.k8s.io';

/** The API group of CustomResourceDefinitions. */
export const CRD_RESOURCE = {
  group: 'apiextensions.k8s.io',
  resource: 'customresourcedefinitions',
} as const;

/** The condition of that type. */
export function conditionOf(status: CrdStatus, type: string): CrdCondition | undefined {
  return status.conditions?.find((condition) => condition.type === type);
}
