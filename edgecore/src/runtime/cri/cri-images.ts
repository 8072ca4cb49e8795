import type { CriClient } from '../../cri/cri-client.ts';
import type { Image } from '../../cri/image-messages.ts';
import type { Decoded } from '../../cri/wire.ts';
import type { SandboxConfig } from '../container-config.ts';
import type { ImageStore, RegistryLogin, RuntimeImage } from '../image-store.ts';
import { sandboxMessage } from './config-message.ts';
import { ifThere } from './pod-reader.ts';
import { askSandboxImage } from './sandbox-image.ts';

/** The images of a runtime that speaks CRI. */
export class CriImages implements ImageStore {
  readonly #client: CriClient;
  readonly #owner: string;

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

  async status(image: string): Promise<RuntimeImage | undefined> {
    const answer = await ifThere(this.#client.call('ImageStatus', { image: { image } }));
    return answer?.image && imageView(answer.image);
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
    const { imageRef } = await this.#client.call('PullImage', request, { timeoutMs: Infinity, signal });
    return imageRef;
  }

  async remove(image: string): Promise<void> {
    await ifThere(this.#client.call('RemoveImage', { image: { image } }));
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
