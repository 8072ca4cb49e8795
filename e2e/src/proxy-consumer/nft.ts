import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

/** How rules come into a kernel. */
export interface NftOptions {
  /** Network namespace by its name. Default: the one that this process is in. */
  readonly netns?: string;
  /** Only looks whether the kernel would take them. */
  readonly check?: boolean;
}

/** Gives rules to `nft -f`: all of them, or none. @throws Error with its complaint */
export async function runNft(rules: string, { netns, check = false }: NftOptions = {}): Promise<void> {
  const nft = ['nft', ...(check ? ['-c'] : []), '-f', '-'];
  const [command = 'nft', ...args] = netns === undefined ? nft : ['ip', 'netns', 'exec', netns, ...nft];
  const child = spawn(command, args, { stdio: ['pipe', 'ignore', 'pipe'] });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  child.stdin.on('error', () => {}); // it ended before it read all: its exit code tells
  child.stdin.end(rules);
  const [complaint, code] = await Promise.all([text(child.stderr), ended]);
  if (code !== 0) throw new Error(`nft: exit ${String(code)}: ${complaint.trim().slice(0, 2000)}`);
}
