import { MemoryStore, type ObjectStore } from '../../src/index.ts';
import { describeObjectStore } from '../../testing/index.ts';

const opened: ObjectStore[] = [];

describeObjectStore('MemoryStore', {
  open: (limits) => {
    const store = new MemoryStore(limits);
    opened.push(store);
    return Promise.resolve(store);
  },
  clean: async () => {
    for (const store of opened.splice(0)) await store.close();
  },
});
