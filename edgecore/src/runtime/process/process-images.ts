import { createHash } from 'node:crypto';
import { parseImageName } from '../../images/image-name.ts';
import type { ImageStore, RuntimeImage } from '../image-store.ts';

const DIGEST = /^sha256:[0-9a-f]{64}$/;
const MAX_NAMES = 10_000;

/**
 * Images where there are none: names. "Pulling" one takes note of its name, and fetches nothing: what a container runs
 * is its command, on this host. Names are forgotten when the edge core ends, and noted again when a pod wants them.
 */
export class NamedImages implements ImageStore {
  readonly #uid: number;
  /** By id. */
  readonly #images = new Map<string, RuntimeImage>();

  /**
   * @param uid whom containers run as, unless they say so
   * @param known names that are here from the beginning: the configuration says what they stand for
   */
  constructor(uid: number, known: readonly string[] = []) {
    this.#uid = uid;
    for (const name of known) this.#note(name);
  }

  list(): Promise<readonly RuntimeImage[]> {
    return Promise.resolve([...this.#images.values()]);
  }

  status(image: string): Promise<RuntimeImage | undefined> {
    return Promise.resolve(this.#images.get(DIGEST.test(image) ? image : idOf(image)));
  }

  pull(image: string, _login: unknown, _sandbox: unknown, signal: AbortSignal): Promise<string> {
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    return Promise.resolve(this.#note(image));
  }

  remove(image: string): Promise<void> {
    this.#images.delete(DIGEST.test(image) ? image : idOf(image));
    return Promise.resolve();
  }

  /** None: they take no room. */
  fileSystems(): Promise<readonly never[]> {
    return Promise.resolve([]);
  }

  #note(image: string): string {
    const { full } = parseImageName(image);
    const id = idOf(image);
    const [oldest] = this.#images.keys();
    if (this.#images.size >= MAX_NAMES && oldest !== undefined) this.#images.delete(oldest);
    this.#images.set(id, { id, tags: [full], digests: [], sizeBytes: 0, uid: this.#uid, pinned: false });
    return id;
  }
}

/** The digest of a name: there is nothing else. */
function idOf(image: string): string {
  return `sha256:${createHash('sha256').update(parseImageName(image).full).digest('hex')}`;
}
