// Makes a pair of namespaces, tells their names, and ends as it is told, leaving them.
import { createNetnsPair } from '../../../src/netns/netns-pair.ts';
import { announceReady } from '../../../src/processes/in-child.ts';

const pair = await createNetnsPair();
process.on('message', () => process.exit(0));
announceReady([pair.edge.namespace.name, pair.cloud.namespace.name]);
