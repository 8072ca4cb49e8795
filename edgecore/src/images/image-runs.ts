import type { Logger } from '@hawser/seams';
import type { JsonState } from '../state/json-state.ts';

const PREFIX = 'image-run/';

/** Ids of images by their full names. */
type Runs = Readonly<Record<string, string>>;

/**
 * Which images pods with policy Always were given: the id of each, over restarts and power cuts. With it such a pod
 * starts again while its registry cannot be reached. Written when an image is another one than before, so hardly ever.
 */
export class ImageRuns {
  readonly #state: JsonState;
  readonly #log: Logger;
  #runs: Promise<Map<string, Runs>> | undefined;

  constructor(state: JsonState, log: Logger) {
    this.#state = state;
    this.#log = log;
  }

  /** The id of the image that the pod was given last under that name. */
  async recall(uid: string, image: string): Promise<string | undefined> {
    return (await this.#all()).get(uid)?.[image];
  }

  /** Durable when it resolves. A disk that takes nothing does not keep a pod from starting. */
  async remember(uid: string, image: string, id: string): Promise<void> {
    const all = await this.#all();
    const before = all.get(uid) ?? {};
    if (before[image] === id) return;
    const runs = { ...before, [image]: id };
    all.set(uid, runs);
    try {
      await this.#state.write(`${PREFIX}${uid}`, runs);
    } catch (error) {
      this.#log.warn({ err: error, uid, image }, 'without its registry a pod may not start again');
    }
  }

  /** Every image that some pod was given. */
  async ids(): Promise<ReadonlySet<string>> {
    return new Set([...(await this.#all()).values()].flatMap((runs) => Object.values(runs)));
  }

  /** Forgets all pods but these. */
  async retain(uids: ReadonlySet<string>): Promise<void> {
    const all = await this.#all();
    for (const uid of [...all.keys()].filter((each) => !uids.has(each))) {
      all.delete(uid);
      await this.#state.remove(`${PREFIX}${uid}`);
    }
  }

  #all(): Promise<Map<string, Runs>> {
    this.#runs ??= this.#read();
    return this.#runs;
  }

  async #read(): Promise<Map<string, Runs>> {
    const values = await this.#state.readAll(PREFIX);
    const runs = [...values].filter((entry): entry is [string, Runs] => isRuns(entry[1]));
    return new Map(runs.map(([key, value]) => [key.slice(PREFIX.length), value]));
  }
}

function isRuns(value: unknown): value is Runs {
  return (
    typeof value === 'object' && value !== null && Object.values(value).every((id) => typeof id === 'string')
  );
}
