import type { GroupResource } from '@hawser/kube';
import { parseKey, type Content } from '@hawser/sync';
import { JsonEntry } from './local-entry.ts';

/** An entry of a pool's replica: shares the bytes that the replica has. */
export class ContentEntry extends JsonEntry {
  readonly content: Pick<Content, 'key' | 'bytes'>;

  private constructor(
    key: JsonEntry['key'],
    resourceVersion: number,
    content: Pick<Content, 'key' | 'bytes'>,
  ) {
    super(key, resourceVersion);
    this.content = content;
  }

  /** @param resourceVersion default: the content's own */
  static of(
    { group, resource }: GroupResource,
    content: Pick<Content, 'key' | 'bytes' | 'version'>,
    resourceVersion = versionOf(content.version),
  ): ContentEntry {
    const { namespace, name } = parseKey(content.key);
    return new ContentEntry({ group, resource, namespace, name }, resourceVersion, content);
  }

  get sizeBytes(): number {
    return this.content.bytes.length;
  }

  at(resourceVersion: number): ContentEntry {
    return new ContentEntry(this.key, resourceVersion, this.content);
  }

  /** The same object with other bytes, canonical JSON too. */
  with(bytes: Uint8Array): ContentEntry {
    return new ContentEntry(this.key, this.resourceVersion, { key: this.content.key, bytes });
  }

  protected bytes(): Uint8Array {
    return this.content.bytes;
  }
}

/** A resourceVersion as a number; 0 for what is none. */
export function versionOf(text: string): number {
  const version = /^\d{1,16}$/.test(text) ? Number(text) : 0;
  return Number.isSafeInteger(version) ? version : 0;
}
