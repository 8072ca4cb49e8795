import { runMapper } from '../src/index.ts';
import { MemoryDriver } from './memory-driver.ts';

// A program as a mapper package has it. Its one device tells what is left of the secret.
const driver = new MemoryDriver();
const open = driver.open.bind(driver);
driver.open = (config) => {
  driver
    .device('environment')
    .values.set('secret', process.env['HAWSER_MAPPER_SECRET'] ?? 'not in the environment');
  return open(config);
};
await runMapper(driver);
