/** What members are ranked by, as leaders or to become one. */
export interface Contender {
  readonly node: string;
  readonly epoch: number;
  /** Chosen by the pool itself, and not by the hub. */
  readonly provisional: boolean;
  /** Whether it leads, and hears the cloud itself. */
  readonly heardByCloud: boolean;
  /** Whether it has something of every resource: only then can it give all of it. */
  readonly complete: boolean;
  /** The highest version that it shows; empty: none. */
  readonly version: string;
}

/** As numbers of any length: below 0 where `one` is older. Empty is older than all. */
export function compareVersions(one: string, other: string): number {
  return one.length - other.length || (one < other ? -1 : Number(one > other));
}

/**
 * The order in which members lead: below 0 where `one` goes before `other`. The higher epoch; of the same one, a leader
 * whom the hub has appointed and that hears it (a provisional one has nothing newer to give); whoever has all
 * resources; the higher version; the lower name. Both sides come to the same answer from the same words.
 */
export function compareContenders(one: Contender, other: Contender): number {
  return (
    other.epoch - one.epoch ||
    Number(isAppointed(other)) - Number(isAppointed(one)) ||
    Number(other.complete) - Number(one.complete) ||
    compareVersions(other.version, one.version) ||
    (one.node < other.node ? -1 : Number(one.node > other.node))
  );
}

function isAppointed({ provisional, heardByCloud }: Contender): boolean {
  return !provisional && heardByCloud;
}
