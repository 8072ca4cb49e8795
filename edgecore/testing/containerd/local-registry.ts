import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Blob, OciImage } from '@hawser/seams/oci-image';
import { eventually, makeTempDir, type TempDir } from '@hawser/seams/testing';
import { findProgram } from './run-program.ts';

const PROGRAM = 'docker-registry';
const START_DEADLINE_MS = 10_000;

/** Who may pull from, and push to, a registry with `login`. */
export const REGISTRY_LOGIN = { username: 'puller', password: 'registry-password' } as const;

/** htpasswd of {@link REGISTRY_LOGIN}: bcrypt of cost 5 and a fixed salt, as `crypt(3)` makes it. */
const HTPASSWD = `${REGISTRY_LOGIN.username}:$2y$05$hawserhawserhawserhawutPDcv8qHo/TGrLDVbl8sIBjFe8/f7H6\n`;

/** Settings of {@link LocalRegistry.open}. */
export interface LocalRegistryOptions {
  /** Whether {@link REGISTRY_LOGIN} is needed. Default: anybody may do everything. */
  readonly login?: boolean;
}

/** What a registry has after a push. */
export interface PushedImage {
  /** As it is pulled: `127.0.0.1:40123/team/app:1`. */
  readonly name: string;
  /** Of its manifest. */
  readonly digest: string;
}

/**
 * A real registry (Debian's docker-registry) on loopback, without TLS, which containerd takes for addresses of
 * loopback. For another name see `ContainerdSite.addRegistry`. It ends with this process, however that ends.
 */
export class LocalRegistry {
  readonly #temp: TempDir;
  readonly #login: boolean;
  #child: ChildProcess | undefined;
  #port = 0;

  private constructor(temp: TempDir, login: boolean) {
    this.#temp = temp;
    this.#login = login;
  }

  /** Why there can be none here; undefined: there can. */
  static unavailable(): string | undefined {
    return findProgram(PROGRAM) === undefined
      ? `there is no ${PROGRAM} here (Debian: ${PROGRAM})`
      : undefined;
  }

  static async open(options: LocalRegistryOptions = {}): Promise<LocalRegistry> {
    const registry = new LocalRegistry(await makeTempDir('hawser-registry-'), options.login ?? false);
    try {
      await registry.start();
      return registry;
    } catch (error) {
      await registry.close();
      throw error;
    }
  }

  /** `127.0.0.1:40123`: the first part of names of its images. The same one after {@link kill} and {@link start}. */
  get host(): string {
    return `127.0.0.1:${this.#port}`;
  }

  get url(): string {
    return `http://${this.host}`;
  }

  /** Idempotent. */
  async start(): Promise<void> {
    if (this.#child !== undefined) return;
    const program = findProgram(PROGRAM);
    if (program === undefined) throw new Error(LocalRegistry.unavailable());
    const config = path.join(this.#temp.path, 'config.yml');
    await mkdir(path.join(this.#temp.path, 'blobs'), { recursive: true });
    await writeFile(path.join(this.#temp.path, 'htpasswd'), HTPASSWD);
    await writeFile(config, this.#config());
    const setpriv = findProgram('setpriv');
    const line = [program, 'serve', config];
    const [command = '', ...args] = setpriv === undefined ? line : [setpriv, '--pdeathsig', 'KILL', ...line];
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        said = (said + text).slice(-16_384);
      });
    await eventually(
      `${PROGRAM} listens`,
      () => {
        if (child.exitCode !== null) throw new Error(`${PROGRAM} has ended: ${said}`);
        const port = /listening on 127\.0\.0\.1:(\d+)/.exec(said)?.[1];
        this.#port = Number(port ?? this.#port);
        return port !== undefined;
      },
      { deadlineMs: START_DEADLINE_MS },
    );
  }

  /** Ends it as it stands; what was pushed stays for the next {@link start}. Idempotent. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'close');
    child.kill('SIGKILL');
    await ended;
  }

  /**
   * Pushes an image.
   * @param name below this registry, with tag: `team/app:1`
   */
  async push(image: OciImage, name: string): Promise<PushedImage> {
    const [repository = '', tag = 'latest'] = name.split(':');
    for (const blob of [image.config, ...image.layers]) await this.#pushBlob(repository, blob);
    const { mediaType, bytes, digest } = image.manifest;
    await this.#request('PUT', `/v2/${repository}/manifests/${tag}`, 201, bytes, mediaType);
    return { name: `${this.host}/${repository}:${tag}`, digest };
  }

  /** Removes an image, all its tags included. */
  async remove(repository: string, digest: string): Promise<void> {
    await this.#request('DELETE', `/v2/${repository}/manifests/${digest}`, 202);
  }

  /** Ends it, and leaves nothing. May be called more than once. */
  async close(): Promise<void> {
    await this.kill();
    await this.#temp.remove();
  }

  async #pushBlob(repository: string, { digest, bytes }: Blob): Promise<void> {
    const opened = await this.#request('POST', `/v2/${repository}/blobs/uploads/`, 202);
    const place = new URL(opened.headers.get('location') ?? '', this.url);
    place.searchParams.set('digest', digest);
    await this.#request('PUT', `${place.pathname}${place.search}`, 201, bytes, 'application/octet-stream');
  }

  async #request(
    method: string,
    target: string,
    expected: number,
    body?: Buffer,
    contentType?: string,
  ): Promise<Response> {
    const headers = new Headers(contentType === undefined ? {} : { 'content-type': contentType });
    const { username, password } = REGISTRY_LOGIN;
    if (this.#login)
      headers.set('authorization', `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`);
    const response = await fetch(`${this.url}${target}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: new Uint8Array(body) }),
    });
    const text = await response.text();
    if (response.status === expected) return response;
    throw new Error(`${method} ${target}: ${response.status} ${text}`);
  }

  #config(): string {
    const { path: dir } = this.#temp;
    const auth = { htpasswd: { realm: 'hawser', path: path.join(dir, 'htpasswd') } };
    // JSON is YAML.
    return JSON.stringify({
      version: '0.1',
      log: { level: 'info', formatter: 'json', accesslog: { disabled: true } },
      storage: {
        filesystem: { rootdirectory: path.join(dir, 'blobs') },
        delete: { enabled: true },
        maintenance: { uploadpurging: { enabled: false } },
      },
      http: { addr: `127.0.0.1:${this.#port}`, secret: 'of a test' },
      ...(this.#login ? { auth } : {}),
    });
  }
}
