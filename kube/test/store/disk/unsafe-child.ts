// What a store would be that does not flush before it acknowledges: it shows that the power-loss test can fail.
// Arguments: the database file, the file for acknowledgements, the number of writes.
import { openSync, writeSync } from 'node:fs';
import Database from 'better-sqlite3';
import { formatAcknowledgement } from './ledger.ts';

const [, , file = '', target = '', limit = '0'] = process.argv;
const acknowledgements = openSync(target, 'a');
const db = new Database(file);
db.pragma('locking_mode = EXCLUSIVE');
db.pragma('journal_mode = WAL');
db.pragma('synchronous = NORMAL');
db.exec('CREATE TABLE log (version INTEGER PRIMARY KEY)');
const insert = db.prepare('INSERT INTO log VALUES (?)');
for (let version = 1; version <= Number(limit); version += 1) {
  insert.run(version);
  writeSync(acknowledgements, formatAcknowledgement({ writer: 0, step: version, version }));
}
db.close();
