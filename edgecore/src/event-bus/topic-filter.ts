/** Levels that a topic or filter may have. */
export const TOPIC_LEVELS_MAX = 32;
/** Bytes (UTF-8) that a topic or filter may have. */
export const TOPIC_BYTES_MAX = 1024;

/** Whether `topic` can be published to: not empty, no wildcards, within the bounds. MQTT 3.1.1, 4.7. */
export function isTopic(topic: string): boolean {
  return isWithinBounds(topic) && !/[+#\0]/.test(topic);
}

/** Whether `filter` can be subscribed to: `+` and `#` alone in their level, `#` at the end only. MQTT 3.1.1, 4.7.1. */
export function isFilter(filter: string): boolean {
  if (!isWithinBounds(filter) || filter.includes('\0')) return false;
  const levels = filter.split('/');
  return levels.every((level, at) => {
    if (level === '#') return at === levels.length - 1;
    return level === '+' || !/[+#]/.test(level);
  });
}

function isWithinBounds(text: string): boolean {
  if (text === '' || text.length > TOPIC_BYTES_MAX || Buffer.byteLength(text) > TOPIC_BYTES_MAX) return false;
  let levels = 1;
  for (let at = text.indexOf('/'); at >= 0; at = text.indexOf('/', at + 1)) levels += 1;
  return levels <= TOPIC_LEVELS_MAX;
}

/** Whether a filter's levels match those of a topic. Wildcards at the beginning match no topic with `$` (4.7.2). */
export function matches(filter: readonly string[], topic: readonly string[]): boolean {
  if (isWildcard(filter[0]) && topic[0]?.startsWith('$') === true) return false;
  for (const [at, level] of filter.entries()) {
    if (level === '#') return true; // also what stands above it: `a/#` matches `a`
    if (at >= topic.length) return false;
    if (level !== '+' && level !== topic[at]) return false;
  }
  return filter.length === topic.length;
}

/** Whether everything that `narrow` matches is matched by `wide`, too. */
export function covers(wide: readonly string[], narrow: readonly string[]): boolean {
  if (isWildcard(wide[0]) && narrow[0]?.startsWith('$') === true) return false;
  for (const [at, level] of wide.entries()) {
    if (level === '#') return true;
    const other = narrow[at];
    // What `narrow` has here may be anything: no single word covers that, and `+` does not cover `#`.
    if (other === undefined || other === '#') return false;
    if (level !== '+' && level !== other) return false;
  }
  return wide.length === narrow.length;
}

function isWildcard(level: string | undefined): boolean {
  return level === '+' || level === '#';
}
