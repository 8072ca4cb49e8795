import type Database from 'better-sqlite3';
import { isDamageAtOpen } from './damage.ts';
import type { LostObject, RowCounts } from './store-report.ts';
import { sumHolds, TABLES, TableWriter, type Cell, type Table } from './tables.ts';

/** Rows copied in one transaction. */
const CHUNK_ROWS = 500;
/** Objects named in a report. */
const LIMIT_NAMED = 1000;

/** What came over from a damaged database. */
export interface Salvage {
  readonly salvaged: RowCounts;
  /** Rows that are known to have been there, and cannot be read or are not what was written. */
  readonly lost: RowCounts;
  readonly lostObjects: readonly LostObject[];
}

/** The rows of one table that a damaged database still knows of. */
interface Known {
  /** Row numbers, and the key where the index has it. */
  readonly rows: ReadonlyMap<number, readonly string[]>;
}

/**
 * Copies every row that can still be read, and whose checksum holds, into a new database; what waits for the cloud
 * first. Never throws because of damage in `from`.
 */
export function salvage(from: Database.Database, to: Database.Database): Salvage {
  const salvaged = { objects: 0, scopes: 0, outbox: 0, state: 0 };
  const lost = { objects: 0, scopes: 0, outbox: 0, state: 0 };
  const lostObjects: LostObject[] = [];
  for (const table of Object.values(TABLES)) {
    const counter = COUNTERS[table.name];
    const missing = copyTable(from, to, table, (count) => (salvaged[counter] += count));
    lost[counter] = missing.length;
    if (table.name !== 'object') continue;
    for (const [scope, key] of missing) {
      if (scope !== undefined && key !== undefined && lostObjects.length < LIMIT_NAMED)
        lostObjects.push({ scope, key });
    }
  }
  return { salvaged, lost, lostObjects };
}

const COUNTERS = { object: 'objects', scope: 'scopes', outbox: 'outbox', state: 'state' } as const;

/** @returns the keys, where known, of rows that could not be copied. */
function copyTable(
  from: Database.Database,
  to: Database.Database,
  table: Table,
  copied: (count: number) => void,
): (readonly string[])[] {
  const writer = new TableWriter(to, table);
  const missing: (readonly string[])[] = [];
  const read = attempt(() =>
    from.prepare<[number], Record<string, unknown>>(`SELECT * FROM ${table.name} WHERE rowid = ?`),
  );
  if (read === undefined) return missing;
  const rows = [...knownRows(from, table).rows].sort(([one], [other]) => one - other);
  for (let at = 0; at < rows.length; at += CHUNK_ROWS) {
    to.transaction(() => {
      for (const [number, key] of rows.slice(at, at + CHUNK_ROWS)) {
        const row = attempt(() => read.get(number));
        if (row === undefined || !sumHolds(table, row)) {
          missing.push(key);
          continue;
        }
        writer.put(table.columns.map((column) => row[column] as Cell)); // the checksum holds
        copied(1);
      }
    })();
  }
  return missing;
}

/** Goes over table and index from both ends: what stands before and behind a damaged page is found. */
function knownRows(from: Database.Database, table: Table): Known {
  const rows = new Map<number, readonly string[]>();
  const keys = table.key.join(', ');
  const index = `sqlite_autoindex_${table.name}_1`;
  for (const order of ['ASC', 'DESC']) {
    const byKey = `SELECT rowid, ${keys} FROM ${table.name} INDEXED BY ${index} ORDER BY ${table.key
      .map((column) => `${column} ${order}`)
      .join(', ')}`;
    walk(from, byKey, ([number, ...key]) => {
      if (typeof number === 'number') rows.set(number, key.map(String));
    });
  }
  for (const order of ['ASC', 'DESC']) {
    walk(from, `SELECT rowid FROM ${table.name} NOT INDEXED ORDER BY rowid ${order}`, ([number]) => {
      if (typeof number === 'number' && !rows.has(number)) rows.set(number, []);
    });
  }
  return { rows };
}

/** Calls with each row as far as the database can be read. */
function walk(db: Database.Database, sql: string, each: (cells: readonly unknown[]) => void): void {
  attempt(() => {
    for (const cells of db.prepare(sql).raw().iterate()) each(cells as unknown[]); // raw: an array
  });
}

/** What a read answers; undefined where the database is damaged there. */
function attempt<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch (error) {
    if (isDamageAtOpen(error)) return undefined;
    throw error;
  }
}
