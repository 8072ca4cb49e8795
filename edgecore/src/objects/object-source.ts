import type { ContentKey } from '@hawser/sync';

/** An object as the API has it. */
export type ApiObject = Readonly<Record<string, unknown>>;

/** The objects that the node has been given, from its disk: configMaps, secrets, claims, volumes, accounts. */
export interface ObjectSource {
  /**
   * One object, parsed; undefined where the node has none of that key.
   * @param key `<resource>/<namespace>/<name>`, `<resource>//<name>` without a namespace
   */
  get(key: ContentKey): Promise<ApiObject | undefined>;
  /** Calls with keys of objects that are others than before, or gone. Answers how to stop listening. */
  listen(listener: (keys: readonly ContentKey[]) => void): () => void;
}
