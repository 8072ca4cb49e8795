import { createHash } from 'node:crypto';
import type Database from 'better-sqlite3';

/** What a column holds. */
export type Cell = string | number | Uint8Array;

/** How the bytes of a body are stored. Part of the file format. */
export const FORM = { plain: 0, deflated: 1, sealed: 2 } as const;

/** A table of the present schema. Its last column, `sum`, is the checksum of the others. */
export interface Table {
  readonly name: 'outbox' | 'state' | 'scope' | 'object';
  /** Without `sum`, in order. */
  readonly columns: readonly string[];
  /** The columns that identify a row. */
  readonly key: readonly string[];
}

/** Which tables there are, in the order of what is saved first from a damaged file. */
export const TABLES = {
  outbox: { name: 'outbox', columns: ['key', 'kind', 'position', 'keep', 'form', 'body'], key: ['key'] },
  state: { name: 'state', columns: ['key', 'form', 'body'], key: ['key'] },
  scope: { name: 'scope', columns: ['scope', 'normal_form', 'stamp'], key: ['scope'] },
  object: {
    name: 'object',
    columns: ['scope', 'key', 'version', 'hash', 'size', 'form', 'body'],
    key: ['scope', 'key'],
  },
} as const satisfies Record<string, Table>;

/** A row of `object`. `hash` is empty in a sealed row: it is that of what was sealed. */
export interface ObjectRow {
  readonly scope: string;
  readonly key: string;
  readonly version: string;
  readonly hash: Uint8Array;
  /** Of the content, in bytes. */
  readonly size: number;
  readonly form: number;
  readonly body: Uint8Array;
}

/** A row of `scope`. */
export interface ScopeRow {
  readonly scope: string;
  readonly normal_form: number;
  readonly stamp: Uint8Array;
}

/** A row of `outbox`. */
export interface OutboxRow {
  readonly key: string;
  readonly kind: string;
  readonly position: number;
  readonly keep: number;
  readonly form: number;
  readonly body: Uint8Array;
}

/** A row of `state`. */
export interface StateRow {
  readonly key: string;
  readonly form: number;
  readonly body: Uint8Array;
}

/** Bytes of a row's checksum. */
const SUM_BYTES = 8;

/**
 * The checksum of a row, for what SQLite does not notice: a flipped bit in a value. SHA-256 over the table's name and
 * every value with its type and length, first 8 bytes.
 */
export function rowSum(table: string, cells: readonly Cell[]): Uint8Array {
  const hash = createHash('sha256').update(table);
  for (const cell of cells) {
    if (typeof cell === 'number') hash.update(`\0n${cell};`);
    else hash.update(`\0${typeof cell === 'string' ? 's' : 'b'}${Buffer.byteLength(cell)}:`).update(cell);
  }
  return hash.digest().subarray(0, SUM_BYTES);
}

/** Whether a row is what was written. */
export function sumHolds(table: Table, row: Readonly<Record<string, unknown>>): boolean {
  const cells: Cell[] = [];
  for (const column of table.columns) {
    const value = row[column];
    if (typeof value !== 'string' && typeof value !== 'number' && !(value instanceof Uint8Array))
      return false;
    cells.push(value);
  }
  return row['sum'] instanceof Uint8Array && Buffer.compare(row['sum'], rowSum(table.name, cells)) === 0;
}

/** Writes rows into a table, and takes them out. */
export class TableWriter {
  readonly #table: Table;
  readonly #put: Database.Statement;
  readonly #remove: Database.Statement;

  constructor(db: Database.Database, table: Table) {
    const { name, columns, key } = table;
    const places = columns.map(() => '?').join(', ');
    const updates = [...columns, 'sum'].filter((column) => !key.includes(column));
    this.#table = table;
    // An update keeps the row where it is: one page is written, and the index is left alone.
    this.#put = db.prepare(
      `INSERT INTO ${name} (${columns.join(', ')}, sum) VALUES (${places}, ?) ` +
        `ON CONFLICT (${key.join(', ')}) DO UPDATE SET ` +
        updates.map((column) => `${column} = excluded.${column}`).join(', '),
    );
    this.#remove = db.prepare(
      `DELETE FROM ${name} WHERE ${key.map((column) => `${column} = ?`).join(' AND ')}`,
    );
  }

  /** `cells` as `columns` has them. */
  put(cells: readonly Cell[]): void {
    this.#put.run(...cells, rowSum(this.#table.name, cells));
  }

  remove(key: readonly string[]): void {
    this.#remove.run(...key);
  }
}
