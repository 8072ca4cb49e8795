import { readFile } from 'node:fs/promises';
import { runCommand } from '../processes/run-command.ts';

/** Takes away every mount below a folder, the innermost first: volumes of pods of an edge that is gone. */
export async function unmountBelow(dir: string): Promise<void> {
  const table = await readFile('/proc/self/mountinfo', 'utf8');
  const points = table
    .split('\n')
    .map((line) =>
      (line.split(' ')[4] ?? '').replace(/\\([0-7]{3})/g, (_, octal: string) => octalByte(octal)),
    )
    .filter((point) => point.startsWith(`${dir}/`))
    .sort((one, other) => other.length - one.length);
  for (const point of points) await runCommand('umount', ['--lazy', point]);
}

function octalByte(octal: string): string {
  return String.fromCharCode(Number.parseInt(octal, 8));
}
