// An embedded bus in a process of its own, to be killed: prints its URL, and ends with its standard input.
import { givenBus } from './given-bus.ts';

const dir = process.argv[2];
if (dir === undefined) throw new Error('usage: bus-process DIR');
const given = await givenBus(dir);
process.stdout.write(`${given.bus.url}\n`);
process.stdin.resume().on('end', () => void given.end());
