// `node kubectl-watch.js --kubeconfig FILE [--kubectl PROGRAM] [--events FILE]`: runs `kubectl get endpointslices -A -w
// -o json --output-watch-events`, and says each event as a line of JSON, as watch.py does. kubectl ends with its watch:
// it is run again then, which is said (`restart`), and shows all that there is again.
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { EventLines } from './event-lines.ts';

const { values } = parseArgs({
  options: {
    kubeconfig: { type: 'string' },
    kubectl: { type: 'string', default: 'kubectl' },
    events: { type: 'string' },
  },
});

const AGAIN_MS = 500;
const KINDS = { ADDED: 'add', MODIFIED: 'update', DELETED: 'delete' } as const;

/** What kubectl writes with `--output-watch-events`. */
interface Shown {
  readonly type: keyof typeof KINDS;
  readonly object: {
    readonly metadata: {
      readonly namespace?: string;
      readonly name: string;
      readonly uid: string;
      readonly resourceVersion: string;
    };
  };
}

const events = new EventLines(values.events);
let child: ChildProcess | undefined;
let isEnding = false;

const end = (): void => {
  isEnding = true;
  child?.kill('SIGTERM');
};
process.once('SIGTERM', end);
process.once('SIGINT', end);

for (let runs = 0; ; runs += 1) {
  events.say({ resource: 'endpointslices', event: runs === 0 ? 'connect' : 'restart' });
  const complaint = await runOnce();
  // The signal came meanwhile.
  if (isEnding as boolean) break;
  if (complaint !== '') events.say({ resource: 'endpointslices', event: 'error', message: complaint });
  await pause(AGAIN_MS);
}

/** Until kubectl ends; answers what it has complained of. */
async function runOnce(): Promise<string> {
  const config = values.kubeconfig === undefined ? [] : ['--kubeconfig', values.kubeconfig];
  const what = ['get', 'endpointslices', '-A', '-w', '-o', 'json', '--output-watch-events'];
  const kubectl = spawn(values.kubectl, [...config, ...what], { stdio: ['ignore', 'pipe', 'pipe'] });
  child = kubectl;
  let complaint = '';
  kubectl.stderr.on('data', (chunk: Buffer) => (complaint = `${complaint}${chunk.toString()}`.slice(-2000)));
  const ended = new Promise<void>((resolve) => {
    kubectl.once('error', (error) => {
      complaint = error.message;
      resolve();
    });
    kubectl.once('close', () => resolve());
  });
  let document = '';
  for await (const line of createInterface({ input: kubectl.stdout })) {
    document += line;
    // An event a line; older ones are indented, but for their end.
    const isWhole = line === '}' || (line === document && line.endsWith('}'));
    if (!isWhole) continue;
    say(JSON.parse(document) as Shown);
    document = '';
  }
  await ended;
  return complaint.trim();
}

function say({ type, object: { metadata } }: Shown): void {
  const { namespace = '', name, uid, resourceVersion } = metadata;
  events.say({
    ...{ resource: 'endpointslices', event: KINDS[type], key: `${namespace}/${name}`, uid, resourceVersion },
  });
}
