#!/usr/bin/env node
// The order of imports counts: flags of the engine have to be set before the code that they are about is loaded.
import './memory-diet.ts';

const { main } = await import('./run.ts');
await main();
