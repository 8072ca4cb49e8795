import type { ImageStore, RuntimeImage } from './image-store.ts';

/** Images where nothing runs: whatever is asked for is here. */
export class NullImages implements ImageStore {
  list(): Promise<readonly RuntimeImage[]> {
    return Promise.resolve([]);
  }

  status(image: string): Promise<RuntimeImage> {
    return Promise.resolve({ id: image, tags: [image], digests: [], sizeBytes: 0, pinned: false });
  }

  pull(image: string): Promise<string> {
    return Promise.resolve(image);
  }

  remove(): Promise<void> {
    return Promise.resolve();
  }

  fileSystems(): Promise<readonly never[]> {
    return Promise.resolve([]);
  }
}
