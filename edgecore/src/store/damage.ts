/** The database is not what was written. What is done about it is decided by whoever opened it. */
export class DamageError extends Error {
  override readonly name = 'DamageError';
}

/** What SQLite says of a damaged file, and what it or the system says of one that cannot be read in places. */
const DAMAGE = /^(SQLITE_(CORRUPT|NOTADB|FORMAT|IOERR_READ|IOERR_CORRUPTFS)|EIO$)/;

/** Whether an error says that the database is damaged: our own checks, SQLite's, or a disk that has lost a sector. */
export function isDamage(error: unknown): boolean {
  return error instanceof DamageError || DAMAGE.test(sqliteCode(error));
}

/** What a disk, a file system or another process may answer: no reason to distrust what is in the file. */
const WORLD = /^SQLITE_(BUSY|LOCKED|IOERR|FULL|READONLY|CANTOPEN|PERM|AUTH|PROTOCOL|INTERRUPT)/;

/**
 * Whether an error in opening a database says that it is damaged. Then also what SQLite makes of a damaged schema or of
 * lengths that are none: syntax errors, missing columns, a lack of memory.
 */
export function isDamageAtOpen(error: unknown): boolean {
  const code = sqliteCode(error);
  return isDamage(error) || (code.startsWith('SQLITE_') && !WORLD.test(code));
}

/** SQLite's extended result code, or that of a system call; empty: none. */
export function sqliteCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** Whether an error says that there is no room. */
export function isFull(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === 'SQLITE_FULL' || code === 'ENOSPC' || code === 'EDQUOT';
}

/** What an error says, for a sentence of ours. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
