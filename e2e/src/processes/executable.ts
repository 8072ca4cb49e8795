import { existsSync } from 'node:fs';
import path from 'node:path';

/** Where a command is, looking in PATH and in the administrator's folders; undefined if nowhere. */
export function findExecutable(command: string): string | undefined {
  const dirs = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin'];
  for (const dir of dirs) {
    const file = path.join(dir, command);
    if (dir !== '' && existsSync(file)) return file;
  }
  return undefined;
}
