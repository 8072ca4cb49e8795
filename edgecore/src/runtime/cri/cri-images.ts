import type { CriClient } from '../../cri/cri-client.ts';
import type { Image } from '../../cri/image-messages.ts';
import type { Decoded } from '../../cri/wire.ts';
import type { SandboxConfig } from '../container-config.ts';
import type { ImageStore, RegistryLogin, RuntimeImage } from '../image-store.ts';
import { sandboxMessage } from './config-message.ts';
import { ifThere } from './pod-reader.ts';
import { askSandboxImage } from './sandbox-image.ts';

/** Images that are remembered; more are asked for each time. */
const MAX_KNOWN = 256;

/**
 * The images of a runtime that speaks CRI. While somebody tells it of every change ({@link follow}, {@link changed}) an
 * image that is here is asked for once: each start of a container wants to know.
 */
export class CriImages implements ImageStore {
  readonly #client: CriClient;
  readonly #owner: string;
  /** By the name or id that was asked for. */
  readonly #known = new Map<string, RuntimeImage>();
  #isFollowed = false;
  /** Changes so far: what was asked for before the last one is not remembered. */
  #changes = 0;

  constructor(options: { readonly client: CriClient; readonly owner: string }) {
    this.#client = options.client;
    this.#owner = options.owner;
  }

  /** The image of sandboxes is pinned, whether the runtime says so or not: containerd does from 1.7 on. */
  async list(): Promise<readonly RuntimeImage[]> {
    const [{ images }, sandboxImage] = await Promise.all([
      this.#client.call('ListImages', {}),
      askSandboxImage(this.#client),
    ]);
    return images.map((image) => {
      const view = imageView(image);
      return sandboxImage !== undefined && view.tags.includes(sandboxImage)
        ? { ...view, pinned: true }
        : view;
    });
  }

  /** From now on each change is told of. */
  follow(): void {
    this.#isFollowed = true;
  }

  /** Changes may be missed from now on. */
  unfollow(): void {
    this.#isFollowed = false;
    this.changed();
  }

  /** There are other images than before, or the same ones under other names. */
  changed(): void {
    this.#changes += 1;
    this.#known.clear();
  }

  async status(image: string): Promise<RuntimeImage | undefined> {
    const known = this.#known.get(image);
    if (known !== undefined) return known;
    const before = this.#changes;
    const answer = await ifThere(this.#client.call('ImageStatus', { image: { image } }));
    const found = answer?.image && imageView(answer.image);
    const mayKeep = this.#isFollowed && before === this.#changes && this.#known.size < MAX_KNOWN;
    if (found !== undefined && mayKeep) this.#known.set(image, found);
    return found;
  }

  /** As long as it takes: a thin line may need hours. The runtime itself gives up where nothing comes any more. */
  async pull(
    image: string,
    login: RegistryLogin | undefined,
    sandbox: SandboxConfig | undefined,
    signal: AbortSignal,
  ): Promise<string> {
    const request = {
      image: { image, userSpecifiedImage: image },
      auth: login,
      sandboxConfig: sandbox && sandboxMessage(sandbox, this.#owner),
    };
    try {
      const { imageRef } = await this.#client.call('PullImage', request, { timeoutMs: Infinity, signal });
      return imageRef;
    } finally {
      this.changed(); // whoever asks next must not wait for the event
    }
  }

  async remove(image: string): Promise<void> {
    try {
      await ifThere(this.#client.call('RemoveImage', { image: { image } }));
    } finally {
      this.changed();
    }
  }

  async fileSystems(): Promise<
    readonly { readonly mountpoint: string; readonly usedBytes: number; readonly inodes: number }[]
  > {
    const { imageFilesystems } = await this.#client.call('ImageFsInfo', {});
    return imageFilesystems.map(({ fsId, usedBytes, inodesUsed }) => ({
      mountpoint: fsId?.mountpoint ?? '',
      usedBytes: usedBytes?.value ?? 0,
      inodes: inodesUsed?.value ?? 0,
    }));
  }
}

/** An image as we know images. */
export function imageView(image: Decoded<typeof Image.fields>): RuntimeImage {
  const { id, repoTags, repoDigests, size, uid, username, pinned } = image;
  return {
    id,
    tags: repoTags,
    digests: repoDigests,
    sizeBytes: size,
    ...(uid === undefined ? {} : { uid: uid.value }),
    ...(username === '' ? {} : { username }),
    pinned,
  };
}
