import type { ContentKey } from '@hawser/sync';
import type { ApiObject, ObjectSource } from '../objects/object-source.ts';

/** Values by key. undefined: the value is there, but no text in UTF-8, so that no variable can have it. */
export type ConfigData = ReadonlyMap<string, string | undefined>;

/** ConfigMaps and secrets of one namespace, as texts; each is read once. Made for one environment, then forgotten. */
export class ConfigObjects {
  readonly #objects: ObjectSource;
  readonly #namespace: string;
  readonly #read = new Map<ContentKey, Promise<ConfigData | undefined>>();

  constructor(objects: ObjectSource, namespace: string) {
    this.#objects = objects;
    this.#namespace = namespace;
  }

  /** `data` of a configMap; `binaryData` is no text and not in it. undefined: there is no such configMap. */
  configMap(name: string): Promise<ConfigData | undefined> {
    return this.#get(`configmaps/${this.#namespace}/${name}`, (text) => text);
  }

  /** `data` of a secret, decoded. undefined: there is no such secret. */
  secret(name: string): Promise<ConfigData | undefined> {
    return this.#get(`secrets/${this.#namespace}/${name}`, decodeSecret);
  }

  #get(key: ContentKey, decode: (text: string) => string | undefined): Promise<ConfigData | undefined> {
    const before = this.#read.get(key);
    if (before !== undefined) return before;
    const read = this.#objects.get(key).then((object) => object && dataOf(object, decode));
    this.#read.set(key, read);
    return read;
  }
}

function dataOf(object: ApiObject, decode: (text: string) => string | undefined): ConfigData {
  const data = object['data'];
  if (typeof data !== 'object' || data === null) return new Map();
  return new Map(
    Object.entries(data)
      .filter((entry): entry is [string, string] => typeof entry[1] === 'string')
      .map(([key, text]) => [key, decode(text)]),
  );
}

function decodeSecret(text: string): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(text, 'base64'));
  } catch {
    return undefined; // bytes that are no text: whoever wants them as a variable is told
  }
}
