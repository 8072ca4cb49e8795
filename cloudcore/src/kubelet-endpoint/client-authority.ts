import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isPlainObject, RESOURCES, type ApiClient } from '@hawser/kube';
import type { Clock, Logger, Random, Timer } from '@hawser/seams';
import { WatchedObject } from '../cluster/watched-object.ts';

/** Settings of {@link ClientAuthority}. */
export interface ClientAuthorityOptions {
  readonly client: ApiClient;
  /** A file in PEM that counts in place of the ConfigMap; looked at again every minute. */
  readonly file?: string;
  /** There are other authorities than before. */
  readonly onChange: () => void;
  readonly log: Logger;
  readonly clock: Clock;
  readonly random: Random;
}

/** Where an API server says which authority signs the certificates of its clients. Source: KEP-1205, apiserver authentication. */
export const CLIENT_AUTHORITY = {
  namespace: 'kube-system',
  name: 'extension-apiserver-authentication',
  key: 'client-ca-file',
} as const;

const FILE_PERIOD_MS = 60_000;
const PEM = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;
const MAX_CERTIFICATES = 64;

/**
 * The authorities whose client certificates count: what the API server publishes in kube-system, or a file. What was
 * known last holds while it cannot be read; an empty one is not taken over what was there.
 */
export class ClientAuthority {
  readonly #options: ClientAuthorityOptions;
  readonly #watched: WatchedObject;
  #certificates: readonly string[] = [];
  #timer: Timer | undefined;
  #stopped = false;

  constructor(options: ClientAuthorityOptions) {
    this.#options = options;
    const { client, clock, random, log } = options;
    this.#watched = new WatchedObject({
      ...{ client, clock, random },
      resource: RESOURCES.configmaps,
      namespace: CLIENT_AUTHORITY.namespace,
      name: CLIENT_AUTHORITY.name,
      onChange: () => this.#onObject(),
      onError: (err) => log.debug({ err }, 'the authority of clients is not watched; trying again'),
    });
  }

  /** PEM, one each; empty: not known, and nobody may be let in. */
  get certificates(): readonly string[] {
    return this.#certificates;
  }

  /** Begins to follow it. Never rejects; idempotent. */
  async start(): Promise<void> {
    if (this.#options.file === undefined) this.#watched.start();
    else await this.#readFile(this.#options.file);
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#watched.stop();
  }

  #onObject(): void {
    const data = this.#watched.current?.['data'];
    const text = isPlainObject(data) ? data[CLIENT_AUTHORITY.key] : undefined;
    const { namespace, name, key } = CLIENT_AUTHORITY;
    this.#take(typeof text === 'string' ? text : '', `ConfigMap ${namespace}/${name}, ${key}`);
  }

  async #readFile(file: string): Promise<void> {
    try {
      this.#take(await readFile(file, 'utf8'), file);
    } catch (err) {
      this.#options.log.error(
        { file, err },
        'the authority of clients cannot be read; nobody else is let in',
      );
    }
    if (this.#stopped) return;
    this.#timer = this.#options.clock.setTimer(FILE_PERIOD_MS, () => void this.#readFile(file), {
      background: true,
    });
  }

  #take(text: string, from: string): void {
    const found = (text.match(PEM) ?? []).filter(isReadable).slice(0, MAX_CERTIFICATES);
    if (found.length === 0) {
      const known = this.#certificates.length;
      this.#options.log.warn(
        { from, known },
        'no authority of clients is there: kubectl logs and exec need one',
      );
      return;
    }
    if (found.join() === this.#certificates.join()) return;
    this.#certificates = found;
    this.#options.log.info({ from, certificates: found.length }, 'authority of clients read');
    this.#options.onChange();
  }
}

function isReadable(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false; // an unreadable one is as good as none, and the others count
  }
}
