import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { writeTar, type TarEntry } from './tar-writer.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const CONFIG = 'application/vnd.oci.image.config.v1+json';
const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';
const INDEX = 'application/vnd.oci.image.index.v1+json';

/** Something that is found by its digest. */
export interface Blob {
  /** `sha256:…`. */
  readonly digest: string;
  readonly mediaType: string;
  readonly bytes: Buffer;
}

/** A layer of an image, packed. Layers can be shared between images. */
export interface Layer extends Blob {
  /** Digest of what it is unpacked. */
  readonly diffId: string;
}

/** How an image is run. Source: OCI image specification, config.md. */
export interface ImageSettings {
  readonly User?: string;
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>>;
}

/** An image as its registry has it. */
export interface OciImage {
  /** Full name with tag: `hawser.test/busybox:1`. */
  readonly name: string;
  readonly manifest: Blob;
  /** Its digest is the id of the image. */
  readonly config: Blob;
  readonly layers: readonly Layer[];
}

/** Packs files as a layer of an image. @param level of gzip: 0 is not compressed, 1 (the default) is fast, 9 is small */
export function makeLayer(entries: readonly TarEntry[], level = 1): Layer {
  const tar = writeTar(entries);
  return { ...blob(LAYER, gzipSync(tar, { level })), diffId: digestOf(tar) };
}

/** Makes an image of this machine's architecture. The same arguments give the same digests. */
export function makeImage(name: string, layers: readonly Layer[], settings: ImageSettings = {}): OciImage {
  const config = jsonBlob(CONFIG, {
    architecture: architecture(),
    os: 'linux',
    config: settings,
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
  });
  const manifest = jsonBlob(MANIFEST, {
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: descriptor(config),
    layers: layers.map(descriptor),
  });
  return { name, manifest, config, layers };
}

/** An OCI archive with several images, to be imported. Source: OCI image specification, image-layout.md. */
export function writeOciArchive(images: readonly OciImage[]): Buffer {
  const blobs = new Map<string, Blob>();
  for (const { manifest, config, layers } of images)
    for (const each of [manifest, config, ...layers]) blobs.set(each.digest, each);
  const manifests = images.map(({ name, manifest }) => ({
    ...descriptor(manifest),
    annotations: {
      'io.containerd.image.name': name,
      'org.opencontainers.image.ref.name': name.slice(name.lastIndexOf(':') + 1),
    },
  }));
  return writeTar([
    { path: 'oci-layout', content: JSON.stringify({ imageLayoutVersion: '1.0.0' }) },
    { path: 'index.json', content: JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests }) },
    { path: 'blobs', type: 'folder' },
    { path: 'blobs/sha256', type: 'folder' },
    ...[...blobs.values()].map(({ digest, bytes }) => ({
      path: `blobs/${digest.replace(':', '/')}`,
      content: bytes,
    })),
  ]);
}

/** `sha256:…` of bytes. */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function blob(mediaType: string, bytes: Buffer): Blob {
  return { mediaType, bytes, digest: digestOf(bytes) };
}

function jsonBlob(mediaType: string, value: unknown): Blob {
  return blob(mediaType, Buffer.from(JSON.stringify(value)));
}

function descriptor({ mediaType, digest, bytes }: Blob): Record<string, unknown> {
  return { mediaType, digest, size: bytes.length };
}

/** As Go names it. */
function architecture(): string {
  const names: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };
  return names[process.arch] ?? process.arch;
}
