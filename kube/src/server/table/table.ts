import type { KubeObject } from '../../meta/object.ts';
import { badRequest } from '../../status/status-errors.ts';
import type { TablePrinter } from './printer.ts';

/** What each row carries of its object. */
export type IncludeObject = 'None' | 'Metadata' | 'Object';

/** What a Table is made for. */
export interface TableRequest {
  readonly includeObject: IncludeObject;
  /** Version of meta.k8s.io. */
  readonly version: 'v1' | 'v1beta1';
  readonly nowMs: number;
}

/**
 * Reads `includeObject`.
 * @throws StatusError BadRequest.
 */
export function includeObject(query: URLSearchParams): IncludeObject {
  const value = query.get('includeObject') ?? '';
  switch (value) {
    case '':
      return 'Metadata';
    case 'None':
    case 'Metadata':
    case 'Object':
      return value;
    default:
      throw badRequest(
        `Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(value)}: ` +
          "must be 'Metadata', 'Object', 'None', or empty",
      );
  }
}

/** Metadata of a list. */
export interface ListMeta {
  readonly resourceVersion: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
}

/** Makes a Table of objects. `withColumns` false: `columnDefinitions` null, as later events of a watch have it. */
export function tableOf(
  printer: TablePrinter,
  objects: readonly KubeObject[],
  metadata: ListMeta,
  request: TableRequest,
  withColumns = true,
): object {
  const rows = objects.map((object) => {
    const conditions = printer.conditions?.(object);
    return {
      cells: printer.cells(object, request.nowMs),
      ...(conditions === undefined ? {} : { conditions }),
      object: rowObject(object, request),
    };
  });
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${request.version}`,
    metadata,
    columnDefinitions: withColumns ? printer.columns : null,
    rows: rows.length === 0 && printer.nullWithoutRows === true ? null : rows,
  };
}

function rowObject(object: KubeObject, { includeObject: include, version }: TableRequest): object | null {
  switch (include) {
    case 'None':
      return null;
    case 'Object':
      return object;
    case 'Metadata':
      return partialObject(object, version);
  }
}

/** An object reduced to its metadata. */
export function partialObject(object: KubeObject, version: 'v1' | 'v1beta1'): object {
  return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${version}`, metadata: object.metadata };
}
