import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../src/main.js', import.meta.url));

/** Whether this machine has what {@link atTerminal} needs: script(1) of util-linux. */
export function hasTerminals(): boolean {
  return spawnSync('script', ['--version']).status === 0;
}

/**
 * Runs the command at a pseudo-terminal, and types once it asks.
 * @returns what the terminal showed, and the exit code
 */
export async function atTerminal(
  args: readonly string[],
  typed: string,
): Promise<{ readonly code: number | null; readonly shown: string }> {
  const command = [process.execPath, MAIN, ...args].map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['-qec', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
  let shown = '';
  let asked = false;
  child.stdin.on('error', () => {}); // it may end before it has read all
  child.stdout.on('data', (chunk: Buffer) => {
    shown += chunk.toString();
    if (asked || !shown.includes('[y/N] ')) return;
    asked = true;
    child.stdin.write(typed);
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, shown };
}
