import { statfs } from 'node:fs/promises';
import type { Clock, Logger, Timer } from '@hawser/seams';
import type { Pod } from '../pods/pod.ts';
import type { ContainerRuntime } from '../runtime/container-runtime.ts';
import type { RuntimeImage } from '../runtime/image-store.ts';
import { fullImageName } from './image-name.ts';
import type { ImageRuns } from './image-runs.ts';

/** Space of a disk. */
export interface DiskSpace {
  readonly totalBytes: number;
  readonly availableBytes: number;
}

/** What an {@link ImageCollector} needs. */
export interface ImageCollectorOptions {
  readonly runtime: Pick<ContainerRuntime, 'images' | 'list'>;
  readonly runs: ImageRuns;
  /** Every pod that the node is to have; undefined: it cannot be told now, and nothing is removed. */
  readonly pods: () => Promise<readonly Pod[] | undefined>;
  /** Part of the disk, in percent, from which on images are removed, and down to which. */
  readonly highPercent: number;
  readonly lowPercent: number;
  /** An image that came later than this is not removed, milliseconds. */
  readonly minAgeMs: number;
  /** Between two looks, milliseconds. Default 5 minutes. */
  readonly periodMs?: number;
  /** The images that the node has, after each look. */
  readonly onImages?: (images: readonly RuntimeImage[]) => void;
  /** The disk is too full, and there are not enough images to remove. For an event of the node. */
  readonly onFailure?: (message: string) => void;
  /** Default: statfs(2). */
  readonly space?: (mountpoint: string) => Promise<DiskSpace>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What is known of an image. Monotonic milliseconds. */
interface Seen {
  readonly firstMs: number;
  usedMs: number;
}

/** Source: kubelet, ImageGCPeriod. */
const PERIOD_MS = 5 * 60_000;
/** Images that come together are looked at together. */
const SOON_MS = 1_000;

/**
 * Removes images that nobody uses when the disk gets full, the one unused the longest first.
 *
 * Used is what a container of the runtime has, and what a pod of the store names or was given, whether it runs now or
 * not: without a cloud there may be no other way to have it again. What the runtime pins is never removed. When an
 * image was used is not kept over a restart; what was there at the start counts as unused since before.
 * Source: kubelet, images/image_gc_manager.go.
 */
export class ImageCollector {
  readonly #options: ImageCollectorOptions;
  readonly #seen = new Map<string, Seen>();
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #isFirst = true;
  #isStarted = false;
  #isStopping = false;
  #isSoon = false;
  /** Images removed since the start, and their size. */
  removed = 0;
  removedBytes = 0;

  constructor(options: ImageCollectorOptions) {
    this.#options = options;
  }

  /** Looks now, and then from time to time. Nobody waits for the first look. Idempotent. */
  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#isStopping = false;
    this.#again(0);
  }

  /** Waits for a removal that is under way. Idempotent. */
  async stop(): Promise<void> {
    this.#isStarted = false;
    this.#isStopping = true;
    this.#isSoon = false;
    this.#timer?.cancel();
    this.#timer = undefined;
    await this.#running?.catch(() => {}); // said by whoever began it
  }

  /** Looks again within a second: there may be other images than before. Nothing to do while it is not started. */
  lookSoon(): void {
    if (!this.#isStarted || this.#isSoon) return;
    this.#isSoon = true;
    if (this.#running === undefined) this.#again(SOON_MS); // else when that one is over
  }

  /** Looks, and removes what has to go. Calls at the same time share one look. @throws RuntimeError */
  collect(): Promise<void> {
    this.#running ??= this.#collect().finally(() => (this.#running = undefined));
    return this.#running;
  }

  #again(delayMs: number): void {
    const { clock, log, periodMs = PERIOD_MS } = this.#options;
    this.#timer?.cancel();
    this.#timer = clock.setTimer(
      delayMs,
      () => {
        this.#isSoon = false;
        void this.collect()
          .catch((error: unknown) => log.warn({ err: error }, 'images could not be looked at'))
          .then(() => {
            if (this.#isStarted) this.#again(this.#isSoon ? SOON_MS : periodMs);
          });
      },
      { background: true },
    );
  }

  async #collect(): Promise<void> {
    const { runtime, runs, pods, onImages, clock } = this.#options;
    const images = await runtime.images.list();
    onImages?.(images);
    const wanted = await pods();
    if (wanted === undefined) return;
    await runs.retain(new Set(wanted.map(({ metadata }) => metadata.uid)));
    const names = await this.#namesInUse(wanted);
    const nowMs = clock.monotonicMs();
    this.#look(images, names, nowMs);
    const excess = await this.#excessBytes();
    if (excess > 0) await this.#free(excess, images, names, nowMs);
  }

  /** Ids, digests and full names of images that are used. */
  async #namesInUse(pods: readonly Pod[]): Promise<ReadonlySet<string>> {
    const { runtime, runs } = this.#options;
    const running = (await runtime.list()).flatMap(({ containers }) => containers);
    const inSpecs = pods.flatMap(({ spec }) => [...(spec.initContainers ?? []), ...spec.containers]);
    return new Set([
      ...(await runs.ids()),
      ...running.flatMap(({ imageId, image }) => [imageId, fullImageName(imageId), fullImageName(image)]),
      ...inSpecs.map(({ image = '' }) => fullImageName(image)),
    ]);
  }

  #look(images: readonly RuntimeImage[], names: ReadonlySet<string>, nowMs: number): void {
    const firstMs = this.#isFirst ? -Infinity : nowMs;
    this.#isFirst = false;
    for (const image of images) {
      const seen = this.#seen.get(image.id) ?? { firstMs, usedMs: -Infinity };
      if (isUsed(image, names)) seen.usedMs = nowMs;
      this.#seen.set(image.id, seen);
    }
    const ids = new Set(images.map(({ id }) => id));
    for (const id of this.#seen.keys()) if (!ids.has(id)) this.#seen.delete(id);
  }

  /** What has to be freed on the disk of the images; 0: there is room. */
  async #excessBytes(): Promise<number> {
    const { runtime, highPercent, lowPercent, space = spaceOf } = this.#options;
    const [fileSystem] = await runtime.images.fileSystems();
    if (fileSystem === undefined) return 0;
    const { totalBytes, availableBytes } = await space(fileSystem.mountpoint);
    if (totalBytes === 0) return 0;
    const usedPercent = 100 - Math.floor((availableBytes * 100) / totalBytes);
    if (usedPercent < highPercent) return 0;
    return Math.max(0, Math.ceil((totalBytes * (100 - lowPercent)) / 100) - availableBytes);
  }

  async #free(
    bytes: number,
    images: readonly RuntimeImage[],
    names: ReadonlySet<string>,
    nowMs: number,
  ): Promise<void> {
    const { runtime, minAgeMs, log, onFailure } = this.#options;
    const unused = images.filter((image) => !image.pinned && !isUsed(image, names));
    const old = unused.filter(({ id }) => nowMs - this.#of(id).firstMs >= minAgeMs);
    old.sort((a, b) => compareUse(this.#of(a.id), this.#of(b.id)));
    let freed = 0;
    for (const image of old) {
      if (freed >= bytes || this.#isStopping) break;
      try {
        await runtime.images.remove(image.id);
        this.#seen.delete(image.id);
        freed += image.sizeBytes;
        this.removed += 1;
        this.removedBytes += image.sizeBytes;
        log.info({ image: image.tags[0] ?? image.id, bytes: image.sizeBytes }, 'an unused image was removed');
      } catch (error) {
        log.warn({ err: error, image: image.id }, 'an unused image could not be removed');
      }
    }
    if (freed >= bytes || this.#isStopping) return;
    const message = `Failed to garbage collect required amount of images. Attempted to free ${bytes} bytes, but only found ${freed} bytes eligible to free.`;
    log.warn({ bytes, freed }, message);
    onFailure?.(message);
  }

  #of(id: string): Seen {
    return this.#seen.get(id) ?? { firstMs: Infinity, usedMs: -Infinity };
  }
}

function isUsed({ id, tags, digests }: RuntimeImage, names: ReadonlySet<string>): boolean {
  return [id, ...tags, ...digests].some((name) => names.has(name) || names.has(fullImageName(name)));
}

/** By last use, then by age. Infinities of one sign are equal. */
function compareUse(a: Seen, b: Seen): number {
  const order = (x: number, y: number): number => (x < y ? -1 : x > y ? 1 : 0);
  return order(a.usedMs, b.usedMs) || order(a.firstMs, b.firstMs);
}

async function spaceOf(mountpoint: string): Promise<DiskSpace> {
  const { bsize, blocks, bavail } = await statfs(mountpoint);
  return { totalBytes: blocks * bsize, availableBytes: bavail * bsize };
}
