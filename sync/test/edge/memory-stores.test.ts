import {
  describeOutboxStore,
  describeReplicaStore,
  MemoryDisk,
  MemoryOutboxStore,
  MemoryReplicaStore,
} from '../../testing/index.ts';

/** A fixture of either store, with a cut that lets the first `reached` writes under way through. */
function fixtureOf<Store extends { cut(reached?: number): void }>(
  make: (disk: MemoryDisk, flush: () => Promise<void>) => Store,
  reached: number,
) {
  let disk = new MemoryDisk();
  let store: Store | undefined;
  let refusing = false;
  const flush = (): Promise<void> =>
    refusing ? Promise.reject(new Error('the disk is full')) : Promise.resolve();
  return {
    open(): Promise<Store> {
      disk = new MemoryDisk();
      refusing = false;
      store = make(disk, flush);
      return Promise.resolve(store);
    },
    reopen(): Promise<Store> {
      store?.cut(reached);
      store = make(disk, flush);
      return Promise.resolve(store);
    },
    refuseWrites(refuse: boolean): void {
      refusing = refuse;
    },
    clean: () => Promise.resolve(),
  };
}

for (const reached of [0, 1, 7]) {
  const name = `memory, cut with ${reached} writes done untold`;
  describeReplicaStore(
    name,
    fixtureOf((disk, flush) => new MemoryReplicaStore({ disk, flush }), reached),
  );
  describeOutboxStore(
    name,
    fixtureOf((disk, flush) => new MemoryOutboxStore({ disk, flush }), reached),
  );
}
