import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { access, mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const execute = promisify(execFile);
/** From `controlplane/dist/test` to the root. */
const CACHE = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../../.cache/kubectl-debian');

/** A kubectl on this machine. */
export interface KubectlProgram {
  /** E.g. `v1.20.2`. */
  readonly version: string;
  readonly path: string;
}

/** Every kubectl on the machine: that of PATH, and Debian's if that is another one and can be had. */
export async function findKubectls(): Promise<readonly KubectlProgram[]> {
  const candidates = [await onPath(), await fromDebian()].filter((file) => file !== undefined);
  const found = new Map<string, KubectlProgram>();
  for (const file of candidates) {
    const version = await versionOf(file);
    if (!found.has(version)) found.set(version, { version, path: file });
  }
  return [...found.values()];
}

async function onPath(): Promise<string | undefined> {
  for (const dir of (process.env['PATH'] ?? '').split(':')) {
    const file = path.join(dir, 'kubectl');
    if (dir !== '' && (await isThere(file))) return file;
  }
  return undefined;
}

/** Debian's package, unpacked and not installed: another kubectl may have its place. */
async function fromDebian(): Promise<string | undefined> {
  const file = path.join(CACHE, 'usr/bin/kubectl');
  if (await isThere(file)) return file;
  const download = `${CACHE}.download`;
  try {
    await mkdir(download, { recursive: true });
    await execute('apt-get', ['download', '-qq', 'kubernetes-client'], { cwd: download });
    const [archive] = (await readdir(download)).filter((name) => name.endsWith('.deb'));
    if (archive === undefined) return undefined;
    await execute('dpkg-deb', ['-x', path.join(download, archive), CACHE]);
    return file;
  } catch {
    return undefined; // no Debian, or no network: the kubectl of PATH has to do
  } finally {
    await rm(download, { recursive: true, force: true });
  }
}

async function isThere(file: string): Promise<boolean> {
  try {
    await access(file);
    return true;
  } catch {
    return false; // whatever the reason, it cannot be run
  }
}

async function versionOf(file: string): Promise<string> {
  const { stdout } = await execute(file, ['version', '--client', '-o', 'json']);
  const { clientVersion } = JSON.parse(stdout) as { clientVersion: { gitVersion: string } };
  return clientVersion.gitVersion;
}

/** What a run of kubectl came to. */
export interface KubectlResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one kubectl against one server. */
export class Kubectl {
  readonly #program: KubectlProgram;
  readonly #env: NodeJS.ProcessEnv;

  /** `home`: a folder for its caches. */
  constructor(program: KubectlProgram, kubeconfig: string, home: string) {
    this.#program = program;
    this.#env = { ...process.env, KUBECONFIG: kubeconfig, HOME: home };
  }

  /** Runs it, whatever comes of it. `input`: for `-f -`. */
  async try(args: readonly string[], input?: unknown): Promise<KubectlResult> {
    const child = this.start(args);
    const stdin = child.stdin;
    if (input !== undefined) stdin?.write(typeof input === 'string' ? input : JSON.stringify(input));
    stdin?.end();
    let stdout = '';
    let stderr = '';
    child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')));
    child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
    const code = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (status) => resolve(status ?? -1));
    });
    return { code, stdout, stderr };
  }

  /** Runs it and returns what it prints. @throws Error with its complaint if it fails */
  async run(args: readonly string[], input?: unknown): Promise<string> {
    const { code, stdout, stderr } = await this.try(args, input);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: exit ${code}: ${stderr}${stdout}`);
    return stdout;
  }

  /** Starts it, e.g. to watch. */
  start(args: readonly string[]): ChildProcess {
    return spawn(this.#program.path, args, { env: this.#env, stdio: ['pipe', 'pipe', 'pipe'] });
  }
}
