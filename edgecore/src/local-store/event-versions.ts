/**
 * The versions that the changes of one commit are told at: one for each, all different, all above `after` and none above
 * `upTo`. An object that has a version of its own in there is told at it; what was removed, or has the version of
 * another one, gets one of the highest that nothing else has, in the order given.
 *
 * Every change took a version of its own where it was made, so that there is room for all. What is removed is told as
 * late as can be: a client that comes with any version from elsewhere has then seen the removal, or is told of it.
 *
 * @param own versions of what is new or changed; undefined for what was removed
 * @returns undefined: there is no room for them, which is no honest commit, or one of another numbering
 */
export function eventVersions(
  after: number,
  upTo: number,
  own: readonly (number | undefined)[],
): readonly number[] | undefined {
  const taken = new Set<number>();
  const versions = own.map((version) => {
    if (version === undefined || version <= after || version > upTo || taken.has(version)) return undefined;
    taken.add(version);
    return version;
  });
  const free: number[] = [];
  const wanted = versions.length - taken.size;
  for (let version = upTo; free.length < wanted; version -= 1) {
    if (version <= after) return undefined;
    if (!taken.has(version)) free.push(version);
  }
  return versions.map((version) => version ?? free.pop() ?? upTo); // as many as are wanted
}
