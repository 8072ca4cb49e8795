import { randomBelow, type Random } from '@hawser/seams';
import { contentOf, type Content } from '../../src/index.ts';

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** So many random letters and digits. */
export function randomText(random: Random, length: number): string {
  let text = '';
  for (let count = 0; count < length; count++) text += LETTERS[randomBelow(random, LETTERS.length)] ?? '';
  return text;
}

/** A ConfigMap of about `bytes`, of keys with 32 random characters each: what packs worst of what is usual. */
export class GeneratedConfigMap {
  readonly #random: Random;
  readonly #data: Record<string, string> = {};

  constructor(random: Random, bytes: number) {
    this.#random = random;
    for (let count = 0; count * 47 < bytes; count++)
      this.#data[`key-${String(count).padStart(5, '0')}`] = randomText(random, 32);
  }

  get keys(): readonly string[] {
    return Object.keys(this.#data);
  }

  /** Gives the key at this part (0 to 1) of all another value. */
  change(part: number): void {
    const { keys } = this;
    this.#data[keys[Math.floor(part * (keys.length - 1))] ?? ''] = randomText(this.#random, 32);
  }

  /** Gives a key another name, so that its value is found at another place. */
  rename(part: number, name: string): void {
    const { keys } = this;
    const key = keys[Math.floor(part * (keys.length - 1))] ?? '';
    this.#data[name] = this.#data[key] ?? '';
    Reflect.deleteProperty(this.#data, key);
  }

  get content(): Content {
    return contentOf('configmaps', {
      kind: 'ConfigMap',
      apiVersion: 'v1',
      metadata: {
        name: 'settings',
        namespace: 'default',
        uid: '00000000-0000-4000-8000-000000000000',
        creationTimestamp: '2026-03-02T06:15:04Z',
      },
      data: this.#data,
    });
  }
}
