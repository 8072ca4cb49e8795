import { EventWatch, type Scope, type StoreEvent, type WatchSource } from '@hawser/kube';

/** A watch that may begin ahead of what is here: its client has seen more than a restart has found. */
export class LocalWatch extends EventWatch {
  /** The version that its client has. */
  readonly from: number;

  /** @param start begins where the store is, where that is before `from` */
  constructor(
    source: WatchSource,
    scope: Scope,
    start: { fromVersion: number; limitEvents?: number; backlog: readonly StoreEvent[] },
    from: number,
  ) {
    super(source, scope, start);
    this.from = from;
  }

  override get deliveredVersion(): number {
    return Math.max(super.deliveredVersion, this.from);
  }

  /** What the client has seen is not told again; but what is gone, it may have missed. */
  override push(event: StoreEvent): void {
    if (event.type === 'DELETED' || event.entry.resourceVersion > this.from) super.push(event);
  }
}
