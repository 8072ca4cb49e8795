import { createHash } from 'node:crypto';
import { deferred, type Deferred } from '@hawser/seams';
import { parseImageName } from '../src/images/image-name.ts';
import type { ImageStore, RegistryLogin, RuntimeImage } from '../src/runtime/image-store.ts';
import { RuntimeError } from '../src/runtime/runtime-error.ts';

/** An image in a registry of a {@link FakeImageStore}. */
export interface OfferedImage {
  /** What makes its id. Default: its name. */
  readonly content?: string;
  readonly sizeBytes?: number;
  readonly pinned?: boolean;
  /** Without it the registry says no. Default: anybody may pull. */
  readonly login?: { readonly username: string; readonly password: string };
}

/** One call of `pull`. */
export interface PullCall {
  readonly image: string;
  readonly login: RegistryLogin | undefined;
}

/**
 * An {@link ImageStore} in memory, with the registries that it pulls from. It passes `describeImageStore`, as the one of
 * a real runtime does.
 */
export class FakeImageStore implements ImageStore {
  /** Registries that do not answer. */
  readonly down = new Set<string>();
  /** Every pull, in order. */
  readonly pulls: PullCall[] = [];
  /** Set: what `status` rejects with. */
  statusFailure: Error | undefined;
  readonly #offers = new Map<string, OfferedImage>();
  /** By id. */
  readonly #images = new Map<string, RuntimeImage>();
  #held: Deferred<void> | undefined;

  /** Puts an image into its registry, in place of one of that name. */
  offer(name: string, image: OfferedImage = {}): void {
    this.#offers.set(parseImageName(name).full, image);
  }

  /** Lets pulls wait until {@link release}. */
  hold(): void {
    this.#held = deferred();
  }

  release(): void {
    this.#held?.resolve();
    this.#held = undefined;
  }

  /** Puts an image there as if it had been pulled; its id. */
  put(name: string, image: OfferedImage = {}): string {
    const { full, registry, repository } = parseImageName(name);
    const id = digest(`image ${image.content ?? full}`);
    for (const each of [...this.#images.values()]) {
      const { tags } = each;
      if (tags.includes(full))
        this.#images.set(each.id, { ...each, tags: tags.filter((tag) => tag !== full) });
    }
    const known = this.#images.get(id);
    const ref = `${registry}/${repository}@${digest(`manifest ${image.content ?? full}`)}`;
    const isTagged = parseImageName(name).tag !== undefined;
    this.#images.set(id, {
      id,
      tags: [...new Set([...(known?.tags ?? []), ...(isTagged ? [full] : [])])],
      digests: [...new Set([...(known?.digests ?? []), ref])],
      sizeBytes: image.sizeBytes ?? 1_000,
      pinned: image.pinned ?? false,
    });
    return id;
  }

  list(): Promise<readonly RuntimeImage[]> {
    return Promise.resolve([...this.#images.values()]);
  }

  status(image: string): Promise<RuntimeImage | undefined> {
    if (this.statusFailure !== undefined) return Promise.reject(this.statusFailure);
    return Promise.resolve(this.#find(image));
  }

  async pull(
    image: string,
    login: RegistryLogin | undefined,
    _sandbox: unknown,
    signal: AbortSignal,
  ): Promise<string> {
    this.pulls.push({ image, login });
    await this.#whileHeld(signal);
    const { full, registry } = parseImageName(image);
    if (this.down.has(registry)) throw refused(image, `dial tcp ${registry}: connect: connection refused`);
    const offer = this.#offers.get(full);
    if (offer === undefined) throw refused(image, `${full}: not found`, true);
    const { login: wanted } = offer;
    const isIn = wanted?.username === login?.username && wanted?.password === login?.password;
    if (wanted !== undefined && !isIn)
      throw refused(image, 'failed to authorize: unexpected status: 401 Unauthorized');
    return this.put(image, offer);
  }

  remove(image: string): Promise<void> {
    const found = this.#find(image);
    if (found !== undefined) this.#images.delete(found.id);
    return Promise.resolve();
  }

  fileSystems(): ReturnType<ImageStore['fileSystems']> {
    const usedBytes = [...this.#images.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    return Promise.resolve([{ mountpoint: '/', usedBytes, inodes: this.#images.size }]);
  }

  #find(image: string): RuntimeImage | undefined {
    const byId = this.#images.get(image);
    if (byId !== undefined) return byId;
    if (/^sha256:|^[0-9a-f]{64}$/.test(image)) return undefined;
    const { full } = parseImageName(image);
    return [...this.#images.values()].find(
      ({ tags, digests }) => tags.includes(full) || digests.includes(full),
    );
  }

  async #whileHeld(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const held = this.#held;
    if (held === undefined) return;
    const aborted = deferred<never>();
    const abort = (): void => aborted.reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    try {
      await Promise.race([held.promise, aborted.promise]);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }
}

function refused(image: string, why: string, notFound = false): RuntimeError {
  const message = `failed to pull and unpack image "${image}": failed to resolve reference: ${why}`;
  return new RuntimeError('ERR_EDGECORE_RUNTIME', message, { notFound, about: 'PullImage' });
}

function digest(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}
