import type Database from 'better-sqlite3';
import { KubeError } from '../errors.ts';

/** "HWSR" in ASCII: marks a database file as ours (`PRAGMA application_id`). */
const APPLICATION_ID = 0x48575352;

/** One step from a schema version to the next; runs inside a transaction. */
export type Migration = (db: Database.Database) => void;

/**
 * All schema versions: the first step makes version 1 out of an empty file, and so on. Steps are only ever added.
 *
 * `log` holds every state that is current or still in the watch history, in the order written: an object is its
 * newest row. That writes each state once, at the end of the file, where an object table with an event table beside
 * it would write it twice. `previous` is the version that the row replaced (0: none).
 * `state` holds the newest version ever given out, and the version after which `log` is complete.
 */
export const MIGRATIONS: readonly Migration[] = [
  (db) =>
    db.exec(`
      CREATE TABLE state (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        revision INTEGER NOT NULL,
        compacted INTEGER NOT NULL
      ) STRICT;
      INSERT INTO state (id, revision, compacted) VALUES (1, 0, 0);
      CREATE TABLE log (
        version INTEGER PRIMARY KEY,
        previous INTEGER NOT NULL,
        deleted INTEGER NOT NULL,
        "group" TEXT NOT NULL,
        resource TEXT NOT NULL,
        namespace TEXT NOT NULL,
        name TEXT NOT NULL,
        body TEXT NOT NULL,
        crc INTEGER NOT NULL
      ) STRICT;
    `),
];

/**
 * Brings a file to the newest schema version, each step in its own transaction.
 * @throws KubeError `ERR_KUBE_STORE_FOREIGN` for a database of something else, `ERR_KUBE_STORE_TOO_NEW` for a file
 * of a newer release.
 */
export function migrate(db: Database.Database, migrations: readonly Migration[] = MIGRATIONS): void {
  const path = db.name;
  const present = readNumber(db, 'user_version');
  if (present === 0 && isEmpty(db)) {
    db.pragma(`application_id = ${APPLICATION_ID}`);
  } else if (readNumber(db, 'application_id') !== APPLICATION_ID) {
    throw new KubeError(
      'ERR_KUBE_STORE_FOREIGN',
      `${path} is a database, but not an object store of Hawser; nothing was changed. Give another path.`,
      { about: path },
    );
  }
  if (present > migrations.length) {
    throw new KubeError(
      'ERR_KUBE_STORE_TOO_NEW',
      `${path} has schema version ${present}, this release knows ${migrations.length}; nothing was changed. ` +
        'Run the newer release, or restore a backup from before the upgrade.',
      { about: path },
    );
  }
  for (const [index, step] of migrations.entries()) {
    if (index < present) continue;
    db.transaction(() => {
      step(db);
      db.pragma(`user_version = ${index + 1}`);
    })();
  }
}

function isEmpty(db: Database.Database): boolean {
  return db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get() === 0;
}

function readNumber(db: Database.Database, pragma: string): number {
  return Number(db.pragma(pragma, { simple: true }));
}
