/** Child process: an API server with a population; tells its address, and ends with its parent. */
import { MemoryStore } from '@hawser/kube';
import { startKubeFixture } from '@hawser/kube/testing';
import { populate, type PopulationSize } from './population.ts';

const size = JSON.parse(process.argv[2] ?? '{}') as PopulationSize;
const store = new MemoryStore();
await populate(store, size);
const fixture = await startKubeFixture({ store });
process.on('disconnect', () => process.exit(0));
process.send?.({ url: fixture.url });
