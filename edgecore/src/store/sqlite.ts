import { createRequire } from 'node:module';
import type Database from 'better-sqlite3';

/** better-sqlite3. Required, since `import` of CommonJS would load a scanner for its exports: 0.5 MB in the thread. */
export const Sqlite = createRequire(import.meta.url)('better-sqlite3') as typeof Database;
