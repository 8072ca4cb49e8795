interface Branch<Key, Value> {
  readonly children: Map<string, Branch<Key, Value>>;
  readonly values: Map<Key, Value>;
}

/** Who has subscribed to what, by the levels of their filters, so that a message finds them without asking everybody. */
export class TopicTree<Key, Value> {
  readonly #root: Branch<Key, Value> = branch();

  /** In place of what `key` had at this filter. */
  set(filter: string, key: Key, value: Value): void {
    let at = this.#root;
    for (const level of filter.split('/')) {
      let next = at.children.get(level);
      if (next === undefined) at.children.set(level, (next = branch()));
      at = next;
    }
    at.values.set(key, value);
  }

  /** Nothing to do where it is not there. */
  delete(filter: string, key: Key): void {
    remove(this.#root, filter.split('/'), 0, key);
  }

  /** Calls `visit` for each subscription that fits, the same key more than once where several of its filters do. */
  match(topic: readonly string[], visit: (key: Key, value: Value) => void): void {
    walk(this.#root, topic, 0, visit);
  }
}

function branch<Key, Value>(): Branch<Key, Value> {
  return { children: new Map(), values: new Map() };
}

function walk<Key, Value>(
  { children, values }: Branch<Key, Value>,
  topic: readonly string[],
  at: number,
  visit: (key: Key, value: Value) => void,
): void {
  // MQTT 3.1.1, 4.7.2: wildcards at the beginning match no topic with `$`.
  const wildcards = at > 0 || topic[0]?.startsWith('$') !== true;
  if (wildcards) for (const [key, value] of children.get('#')?.values ?? []) visit(key, value);
  const level = topic[at];
  if (level === undefined) {
    for (const [key, value] of values) visit(key, value);
    return;
  }
  const named = children.get(level);
  if (named !== undefined) walk(named, topic, at + 1, visit);
  const any = wildcards ? children.get('+') : undefined;
  if (any !== undefined) walk(any, topic, at + 1, visit);
}

/** @returns whether nothing is left below */
function remove<Key, Value>(
  { children, values }: Branch<Key, Value>,
  filter: readonly string[],
  at: number,
  key: Key,
): boolean {
  const level = filter[at];
  if (level === undefined) values.delete(key);
  else {
    const child = children.get(level);
    if (child !== undefined && remove(child, filter, at + 1, key)) children.delete(level);
  }
  return children.size === 0 && values.size === 0;
}
