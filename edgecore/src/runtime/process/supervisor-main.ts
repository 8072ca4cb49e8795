// The process that containers of the runtime `process` are children of: started by the edge core, and left alone by its
// end. Arguments: the folder, the release, `namespace` or `links`, and how long it waits with nothing to do.
import { Supervisor } from './supervisor.ts';

const [dir = '', release = '', mounts = 'namespace', idleMs = '10000'] = process.argv.slice(2);

// A service manager that ends the edge core's processes tells so; a terminal that is closed is not meant for containers.
process.on('SIGHUP', () => {});
process.on('SIGINT', () => {});

const supervisor = new Supervisor({
  ...{ dir, release, links: mounts === 'links', idleMs: Number(idleMs) },
  onIdle: () => process.exit(0),
});
try {
  await supervisor.start();
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exit(1);
}
