import { readFile } from 'node:fs/promises';

/**
 * Paths where something is mounted, in the order in which it was: what is mounted on a mount comes after it. One path
 * is listed for each mount on it. Source: proc(5), /proc/pid/mountinfo.
 */
export function mountPoints(mountInfo: string): readonly string[] {
  const points: string[] = [];
  for (const line of mountInfo.split('\n')) {
    const point = line.split(' ', 5)[4];
    if (point !== undefined) points.push(unescapeOctal(point));
  }
  return points;
}

/**
 * Mounts of this process at a path and below it, in their order.
 * @param path absolute, without symbolic links
 */
export async function mountsBelow(path: string): Promise<readonly string[]> {
  const points = mountPoints(await readFile('/proc/self/mountinfo', 'utf8'));
  return points.filter((point) => point === path || point.startsWith(`${path}/`));
}

/** Blanks, tabs, line breaks and backslashes are octal numbers there. */
function unescapeOctal(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
