import { execFile } from 'node:child_process';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';

/** Where programs in pods find their account. */
const ACCOUNT = '/run/secrets/kubernetes.io/serviceaccount';
/** In a namespace of mounts of its own: nobody else sees what it mounts. */
const PREPARE = [
  'mount -t tmpfs tmpfs /run',
  `mkdir -p ${ACCOUNT}`,
  `mount --bind "$1" ${ACCOUNT}`,
  'shift',
  'exec "$@"',
].join(' && ');

/** What a pod has of its cluster, for a process of this machine: files of its account where they belong, variables. */
export class PodEnvironment {
  readonly #dir: string;
  readonly #env: Readonly<Record<string, string | undefined>>;

  private constructor(dir: string, server: URL) {
    this.#dir = dir;
    this.#env = {
      KUBERNETES_SERVICE_HOST: server.hostname,
      KUBERNETES_SERVICE_PORT: server.port,
      KUBECONFIG: undefined,
      HOME: '/nonexistent',
    };
  }

  /** Why there cannot be one here; undefined: there can. */
  static async unavailable(): Promise<string | undefined> {
    try {
      await promisify(execFile)('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/run']);
      return undefined;
    } catch (error) {
      return `a process cannot have mounts of its own here: ${(error as Error).message}`;
    }
  }

  /** @param kubeconfig of the cluster, for its address and authority */
  static async make(dir: string, kubeconfig: string, token: string): Promise<PodEnvironment> {
    const { clusters } = parse(await readFile(kubeconfig, 'utf8')) as {
      readonly clusters: readonly {
        readonly cluster: { readonly server: string; readonly 'certificate-authority-data': string };
      }[];
    };
    const [first] = clusters;
    if (first === undefined) throw new Error(`${kubeconfig} names no cluster`);
    const { server, 'certificate-authority-data': authority } = first.cluster;
    const environment = new PodEnvironment(dir, new URL(server));
    await mkdir(dir, { recursive: true });
    await writeFile(path.join(dir, 'ca.crt'), Buffer.from(authority, 'base64'));
    await writeFile(path.join(dir, 'namespace'), 'hawser-system');
    await environment.rotate(token);
    return environment;
  }

  /** For `startNode`. */
  get child(): {
    readonly under: readonly string[];
    readonly env: Readonly<Record<string, string | undefined>>;
  } {
    const under = ['unshare', '--mount', 'sh', '-c', PREPARE, 'sh', this.#dir];
    return { under, env: this.#env };
  }

  /** Puts another token in the place of the present one, in one piece, as a kubelet does. */
  async rotate(token: string): Promise<void> {
    const fresh = path.join(this.#dir, '.token');
    await writeFile(fresh, token);
    await rename(fresh, path.join(this.#dir, 'token'));
  }
}
