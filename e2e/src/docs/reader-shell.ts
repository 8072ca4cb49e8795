import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { NetworkNamespace } from '../netns/network-namespace.ts';
import { dieWithParent, killOnExit } from '../processes/live-children.ts';
import type { Walk } from './command-pages.ts';

/** What a walk has come to. */
export interface Walked {
  readonly exitCode: number | null;
  /** What each step has written, both streams together; those that were not reached are missing. */
  readonly outputs: readonly string[];
}

/** Between the outputs of steps. */
const MARK = '\u241e step';

/** Folders of the system that a reader may write to. What is written there is gone afterwards. */
const WRITABLE = ['etc', 'run', 'var/lib', 'var/log'];

/**
 * The machine of a reader: a network of its own, so that all ports are free; an empty /tmp and home; the repository, which
 * cannot be written to, at `~/hawser`; and copies of {@link WRITABLE}. Needs root and overlayfs.
 */
const MACHINE = `
set -e
exec > "$4" 2>&1
machine=$1
mount -t tmpfs tmpfs "$machine"
mkdir -p "$machine/home/hawser" "$machine/layers"
mount --rbind "$2" "$machine/home/hawser"
mount -o remount,bind,ro "$machine/home/hawser"
for dir in ${WRITABLE.join(' ')}; do
  mkdir -p "$machine/layers/$dir/upper" "$machine/layers/$dir/work"
  mount -t overlay overlay -o "lowerdir=/$dir,upperdir=$machine/layers/$dir/upper,workdir=$machine/layers/$dir/work" "/$dir"
done
cp "$3" "$machine/walk.sh"
mount --rbind "$machine" /tmp
cd /tmp/home
exec bash /tmp/walk.sh
`;

/** The walk as one script, for a shell that ends with the first command that fails. */
function scriptOf({ steps }: Walk): string {
  const preambles = new Set<string>();
  const parts = steps.map(({ page, block }, index) => {
    const first = preambles.has(page.file) ? '' : page.preamble;
    preambles.add(page.file);
    const ends = `code=$?; set -e; [ "$code" = ${block.exitCode} ] || exit 1`;
    const code = block.exitCode === 0 ? block.code : `set +e\n${block.code}\n${ends}`;
    return `${first}\necho '${MARK} ${index}'\n${code}`;
  });
  return ['set -em', ...parts, 'exit 0', ''].join('\n');
}

/**
 * Runs a walk as a reader would, on a {@link MACHINE} of its own. All that it has started is ended.
 * @param root of the repository
 * @param dir an empty folder, for what is needed meanwhile
 * @param timeoutMs it is killed after so long
 * @throws E2eError ERR_E2E_COMMAND_FAILED when there can be no such machine here; see `netnsAvailable`
 */
export async function takeWalk(walk: Walk, root: string, dir: string, timeoutMs: number): Promise<Walked> {
  const [machine, setup, script, log] = ['machine', 'machine.sh', 'walk.sh', 'output'].map((name) =>
    path.join(dir, name),
  ) as [string, string, string, string];
  await Promise.all([mkdir(machine), writeFile(setup, MACHINE), writeFile(script, scriptOf(walk))]);
  await writeFile(log, '');
  const network = await NetworkNamespace.create('docs');
  const timer = setTimeout(() => void network.close(), timeoutMs);
  try {
    const inside = ['ip', 'netns', 'exec', network.name, 'bash', setup, machine, root, script, log];
    const exitCode = await run(inside);
    const [before = '', ...outputs] = (await readFile(log, 'utf8')).split(MARK);
    return { exitCode, outputs: outputs.length > 0 ? outputs.map(withoutFirstLine) : [before] };
  } finally {
    clearTimeout(timer);
    await network.close();
  }
}

async function run(command: readonly string[]): Promise<number | null> {
  const [program = '', ...args] = dieWithParent(command);
  const { PATH, LANG } = process.env;
  // What tests preload may not be there: the repository is at another place, and /tmp is empty.
  const env = { PATH, LANG, HOME: '/tmp/home', TERM: 'dumb', NODE_OPTIONS: '' };
  const child = spawn(program, args, { stdio: 'ignore', env });
  killOnExit(child);
  const [code] = (await once(child, 'exit')) as [number | null];
  return code;
}

function withoutFirstLine(text: string): string {
  return text.slice(text.indexOf('\n') + 1);
}
