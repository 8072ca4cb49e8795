import { AGE_COLUMN, createdColumn, NAME_COLUMN } from './columns.ts';
import { age } from './duration.ts';
import type { TablePrinter } from './printer.ts';

/** Name and time of creation: what the API's generic converter prints. */
export const genericPrinter: TablePrinter = {
  columns: [NAME_COLUMN, createdColumn('Created At')],
  cells: ({ metadata }) => [metadata.name, metadata.creationTimestamp ?? null],
  nullWithoutRows: true,
};

/** Name and age. */
export const nameAndAgePrinter: TablePrinter = {
  columns: [NAME_COLUMN, AGE_COLUMN],
  cells: ({ metadata }, nowMs) => [metadata.name, age(metadata.creationTimestamp, nowMs)],
};
