import type { KubeObject } from '../../meta/object.ts';
import { column, createdColumn, NAME_COLUMN } from '../table/columns.ts';
import { age } from '../table/duration.ts';
import type { TablePrinter } from '../table/printer.ts';
import type { CrdColumn } from './crd-types.ts';
import { JsonPath } from './json-path.ts';

/**
 * Rows of custom resources: the name and what the definition asks for, or else the age.
 * Source: apiextensions-apiserver registry/customresource/tableconvertor.
 */
export function customPrinter(columns: readonly CrdColumn[] | undefined): TablePrinter {
  if (columns === undefined || columns.length === 0) {
    return {
      columns: [NAME_COLUMN, createdColumn('Age')],
      cells: ({ metadata }, nowMs) => [metadata.name, age(metadata.creationTimestamp, nowMs)],
      nullWithoutRows: true,
    };
  }
  const paths = columns.map(({ jsonPath }) => new JsonPath(jsonPath));
  return {
    columns: [NAME_COLUMN, ...columns.map(tableColumn)],
    cells: (object, nowMs) => [
      object.metadata.name,
      ...columns.map(({ type }, index) => cell(type, paths[index], object, nowMs)),
    ],
    nullWithoutRows: true,
  };
}

function tableColumn({
  name,
  type,
  format = '',
  description,
  priority = 0,
  jsonPath,
}: CrdColumn): TablePrinter['columns'][number] {
  const text = description ?? `Custom resource definition column (in JSONPath format): ${jsonPath}`;
  return column(name, type, text, priority, format);
}

function cell(type: string, path: JsonPath | undefined, object: KubeObject, nowMs: number): unknown {
  const values = path?.find(object) ?? [];
  const [value] = values;
  if (value === undefined || value === null) return null;
  switch (type) {
    case 'integer':
    case 'number':
      return typeof value === 'number' ? value : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    case 'date':
      return age(value, nowMs);
    default:
      return values.map((item) => (typeof item === 'string' ? item : JSON.stringify(item))).join(' ');
  }
}
