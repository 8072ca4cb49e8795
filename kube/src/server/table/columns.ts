import type { TableColumn } from './printer.ts';

/** Makes a column. */
export function column(
  name: string,
  type: string,
  description: string,
  priority = 0,
  format = '',
): TableColumn {
  return { name, type, format, description, priority };
}

const NAME_DESCRIPTION =
  'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a ' +
  'client to request the generation of an appropriate name automatically. Name is primarily intended for creation ' +
  'idempotence and configuration definition. Cannot be updated. More info: ' +
  'https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names';

const CREATED_DESCRIPTION =
  'CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed ' +
  'to be set in happens-before order across separate operations. Clients may not set this value. It is represented ' +
  'in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: ' +
  'https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata';

/** The name: first in almost every Table. */
export const NAME_COLUMN: TableColumn = column('Name', 'string', NAME_DESCRIPTION, 0, 'name');

/** The age, printed by the server. */
export const AGE_COLUMN: TableColumn = column('Age', 'string', CREATED_DESCRIPTION);

/** The time of creation, which clients turn into an age. */
export function createdColumn(name: string): TableColumn {
  return column(name, 'date', CREATED_DESCRIPTION);
}
