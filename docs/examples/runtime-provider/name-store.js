/**
 * Images where there are none: whatever name is asked for is here.
 *
 * @implements {import('@hawser/edgecore/runtime').ImageStore}
 */
export class NameStore {
  async list() {
    return [];
  }

  async status(image) {
    return { id: image, tags: [image], digests: [], sizeBytes: 0, pinned: false };
  }

  async pull(image) {
    return image;
  }

  async remove() {}

  async fileSystems() {
    return [];
  }
}
