import type Database from 'better-sqlite3';
import { EdgeCoreError } from '../errors.ts';
import { DamageError } from './damage.ts';
import { rowSum } from './tables.ts';

/** "HWSE" in ASCII: marks a database file as an edge store (`PRAGMA application_id`). */
export const APPLICATION_ID = 0x48575345;

/** One step from a schema version to the next; runs inside a transaction. */
export type Migration = (db: Database.Database) => void;

/**
 * All schema versions: the first step makes version 1 out of an empty file, and so on. Steps are only ever added; each
 * keeps the checksums of the rows that it changes true.
 *
 * `about` is promised to be in every version, as it is here: it is how a release recognises a newer one's file, and
 * tells it from one whose header was damaged.
 */
export const MIGRATIONS: readonly Migration[] = [
  (db) =>
    db.exec(`
      CREATE TABLE about (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        schema INTEGER NOT NULL,
        key_id BLOB NOT NULL,
        sum BLOB NOT NULL
      ) STRICT;
      CREATE TABLE object (
        scope TEXT NOT NULL,
        key TEXT NOT NULL,
        version TEXT NOT NULL,
        hash BLOB NOT NULL,
        size INTEGER NOT NULL,
        form INTEGER NOT NULL,
        body BLOB NOT NULL,
        sum BLOB NOT NULL,
        UNIQUE (scope, key)
      ) STRICT;
      CREATE TABLE scope (
        scope TEXT NOT NULL UNIQUE,
        normal_form INTEGER NOT NULL,
        stamp BLOB NOT NULL,
        sum BLOB NOT NULL
      ) STRICT;
      CREATE TABLE outbox (
        key TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        position INTEGER NOT NULL,
        keep INTEGER NOT NULL,
        form INTEGER NOT NULL,
        body BLOB NOT NULL,
        sum BLOB NOT NULL
      ) STRICT;
      CREATE TABLE state (
        key TEXT NOT NULL UNIQUE,
        form INTEGER NOT NULL,
        body BLOB NOT NULL,
        sum BLOB NOT NULL
      ) STRICT;
    `),
];

/** What the file says of itself. */
export interface About {
  readonly schema: number;
  /** Names the key that its sealed rows are sealed with. */
  readonly keyId: Uint8Array;
}

/** Writes the row `about`. */
export function writeAbout(db: Database.Database, { schema, keyId }: About): void {
  db.prepare('INSERT OR REPLACE INTO about (id, schema, key_id, sum) VALUES (1, ?, ?, ?)').run(
    schema,
    keyId,
    rowSum('about', [schema, keyId]),
  );
}

/** Reads it. @throws DamageError where it is not there, or not what was written. */
export function readAbout(db: Database.Database): About {
  const tables = db.prepare("SELECT count(*) FROM sqlite_schema WHERE name = 'about'").pluck().get();
  if (tables !== 1) throw new DamageError('it is no edge store, or has lost its tables');
  const row = db.prepare('SELECT schema, key_id, sum FROM about').get() as
    { schema: unknown; key_id: unknown; sum: unknown } | undefined;
  if (row === undefined || typeof row.schema !== 'number' || !(row.key_id instanceof Uint8Array)) {
    throw new DamageError('it does not say what it is');
  }
  const { schema, key_id: keyId, sum } = row;
  if (!(sum instanceof Uint8Array) || Buffer.compare(sum, rowSum('about', [schema, keyId])) !== 0) {
    throw new DamageError('the checksum of what it says of itself is wrong');
  }
  return { schema, keyId };
}

/** Makes an empty file a store. */
export function createSchema(
  db: Database.Database,
  keyId: Uint8Array,
  migrations: readonly Migration[] = MIGRATIONS,
): void {
  db.pragma(`application_id = ${APPLICATION_ID}`);
  db.transaction(() => {
    for (const step of migrations) step(db);
    writeAbout(db, { schema: migrations.length, keyId });
    db.pragma(`user_version = ${migrations.length}`);
  })();
}

/**
 * Brings a store to the newest schema version, each step in its own transaction. Answers what it is then.
 * @throws EdgeCoreError `ERR_EDGE_STORE_TOO_NEW` for a store of a newer release, which is left as it is.
 * @throws DamageError where the header and the row `about` contradict each other.
 */
export function migrate(db: Database.Database, migrations: readonly Migration[] = MIGRATIONS): About {
  const about = readAbout(db);
  const header = Number(db.pragma('user_version', { simple: true }));
  if (header !== about.schema || Number(db.pragma('application_id', { simple: true })) !== APPLICATION_ID) {
    throw new DamageError('its header is not that of its tables');
  }
  if (about.schema > migrations.length) {
    throw new EdgeCoreError(
      'ERR_EDGE_STORE_TOO_NEW',
      `${db.name} has schema version ${about.schema}, this release knows ${migrations.length}; nothing was changed. ` +
        'Run the newer release again. To go back all the same, move the file away: the hub sends the objects again, ' +
        'what was not yet reported to it is lost.',
      { about: db.name },
    );
  }
  for (const [index, step] of migrations.entries()) {
    if (index < about.schema) continue;
    db.transaction(() => {
      step(db);
      writeAbout(db, { schema: index + 1, keyId: about.keyId });
      db.pragma(`user_version = ${index + 1}`);
    })();
  }
  return { ...about, schema: migrations.length };
}
