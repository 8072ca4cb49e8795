import { readFile } from 'node:fs/promises';

/** Whom a process runs as. */
export interface RunAs {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Finds a user of this machine.
 * @param user name or number; empty: that of this process
 * @returns undefined: nothing is to be changed
 * @throws Error there is no such user, or this process may not become another
 */
export async function runAs(user: string, passwd = '/etc/passwd'): Promise<RunAs | undefined> {
  if (user === '') return undefined;
  const line = (await readFile(passwd, 'utf8'))
    .split('\n')
    .map((each) => each.split(':'))
    .find(([name, , uid]) => name === user || uid === user);
  const found = line && { uid: Number(line[2]), gid: Number(line[3]) };
  const wanted = found ?? (/^\d+$/.test(user) ? { uid: Number(user), gid: Number(user) } : undefined);
  if (wanted === undefined) throw new Error(`there is no user ${user} on this machine`);
  if (process.getuid?.() === wanted.uid) return undefined;
  if (process.getuid?.() !== 0) throw new Error(`only root may run a program as ${user}`);
  return wanted;
}
