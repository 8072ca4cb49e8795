// The main job, for `npm start`: a control plane, a hub and a pool of edges, each a process of its own, over lines that
// this program cuts, pods in a real containerd where there may be one, and a Modbus device. Everything shown is measured
// while it happens.
import { checkKubeconfig, parseChoices, HELP, type Choices } from './choices.ts';
import type { DemoEdge } from './demo-edge.ts';
import { NAMESPACE, type Demo } from './demo.ts';
import { Journal } from './journal.ts';
import { Observer } from './observer.ts';
import { openDemo, type Closable } from './open-demo.ts';
import { Progress } from './progress.ts';
import { Screen } from './screen.ts';
import { STEPS } from './steps.ts';
import { ClusterWatch } from './watch-cluster.ts';
import { renderView } from './view.ts';
import { WORKLOAD } from './workload.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const START = 'start';

/** One run: from the first process to the last. */
class Run {
  readonly #choices: Choices;
  readonly #stopping = new AbortController();
  readonly #opened: Closable[] = [];
  readonly #edges: DemoEdge[] = [];
  readonly #progress = new Progress([START, ...STEPS.map(({ name }) => name)]);
  readonly #journal: Journal;
  readonly #observer: Observer;
  readonly #screen: Screen | undefined;
  readonly #interrupt = (): void => this.#stopping.abort(new Error('interrupted'));

  constructor(choices: Choices) {
    this.#choices = choices;
    this.#journal = choices.view
      ? new Journal()
      : new Journal((line) => void process.stdout.write(`${line}\n`));
    this.#observer = new Observer({
      edges: this.#edges,
      progress: this.#progress,
      journal: this.#journal,
      onState: () => this.#screen?.draw(),
    });
    this.#screen = choices.view
      ? new Screen(process.stdout, (size) => renderView(this.#observer.state, size))
      : undefined;
  }

  /** @throws Error of a part that failed, once all is stopped */
  async run(): Promise<void> {
    const { signal } = this.#stopping;
    // npm passes a terminal's Ctrl-C on, so that it may come twice: it must not end the stopping.
    for (const name of SIGNALS) process.on(name, this.#interrupt);
    process.stdout.on('error', this.#interrupt); // nobody reads any more: `npm start | head`
    this.#screen?.open();
    this.#observer.start();
    const working = this.#work().catch((error: unknown) => {
      if (!signal.aborted) throw error; // what an interrupted part says is of no interest
    });
    try {
      await Promise.race([working, aborted(signal)]);
    } finally {
      await this.#stop(working);
    }
  }

  async #work(): Promise<void> {
    const { signal } = this.#stopping;
    this.#progress.set(START, 'now');
    const demo = await openDemo({
      choices: this.#choices,
      journal: this.#journal,
      signal,
      opened: this.#opened,
      edges: this.#edges,
    });
    signal.throwIfAborted();
    this.#observer.follow(new ClusterWatch(demo.kubeconfig));
    this.#progress.set(START, 'done');
    for (const { name, run } of STEPS) {
      signal.throwIfAborted();
      this.#progress.set(name, 'now');
      const leftOut = await run(demo);
      if (leftOut !== undefined) this.#journal.line(`${name} is left out: ${leftOut}`);
      this.#progress.set(name, leftOut === undefined ? 'done' : 'left-out');
    }
    if (!this.#choices.keep) return;
    this.#keep(demo);
    await aborted(signal);
  }

  #keep(demo: Demo): void {
    this.#progress.hints = hintsOf(demo);
    if (this.#screen === undefined) {
      this.#journal.title('Running. Ctrl-C ends it. In another terminal:');
      for (const hint of this.#progress.hints) this.#journal.line(hint);
    }
    this.#observer.calm();
  }

  /** Ends everything, whatever fails on the way, and says what did. */
  async #stop(working: Promise<void>): Promise<void> {
    const journal = this.#journal;
    journal.title('Stopping');
    const failures = await this.#closeAll([this.#observer.stop()]);
    this.#stopping.abort(new Error('stopping'));
    await Promise.allSettled([working]);
    failures.push(...(await this.#closeAll())); // what was being opened meanwhile
    for (const failure of failures) journal.line(`not stopped cleanly: ${String(failure)}`);
    if (failures.length === 0) journal.done('everything stopped');
    this.#screen?.close();
    if (this.#screen !== undefined) printRecord(journal);
    for (const name of SIGNALS) process.off(name, this.#interrupt);
  }

  /** Closes what was opened, the last one first, all of it; answers what failed. */
  async #closeAll(others: readonly Promise<void>[] = []): Promise<unknown[]> {
    const failures: unknown[] = [];
    for (const other of others) await other.catch((error: unknown) => failures.push(error));
    for (let one = this.#opened.pop(); one !== undefined; one = this.#opened.pop())
      await one.close().catch((error: unknown) => failures.push(error));
    return failures;
  }
}

function hintsOf({ kubeconfig, containers, device, first }: Demo): readonly string[] {
  // Few lines, none of more than 80 columns: a small terminal has to show them beside everything else.
  const reader = `deploy/${WORKLOAD}`;
  const edit = device === undefined ? '' : `; kubectl edit device ${device.name}`;
  const watch = device === undefined ? '' : `; hawser device watch ${device.name} -n ${NAMESPACE}`;
  return [
    `export KUBECONFIG=${kubeconfig}`,
    `hawser() { node cli/dist/src/main.js "$@" --socket ${first.edge.socket}; }`,
    'kubectl get nodes,pods,nodepools -o wide',
    ...(containers === undefined ? [] : [`kubectl logs ${reader}; kubectl exec -it ${reader} -- sh`]),
    `kubectl scale deployment ${WORKLOAD} --replicas 5${edit}`,
    `hawser pool status${watch}`,
  ];
}

/** What the demonstration has said: the view is gone with the terminal's other screen. */
function printRecord({ lines }: Journal): void {
  const told = lines.filter((line) => !line.includes(' s  · '));
  process.stdout.write(`${told.join('\n')}\n`);
}

/** Resolves when the signal is aborted. */
function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/** What was chosen; undefined: something that cannot be, and that was said. */
function choose(): Choices | undefined {
  try {
    const choices = parseChoices(process.argv.slice(2), process.stdin.isTTY && process.stdout.isTTY);
    if (!choices.help) checkKubeconfig(choices);
    return choices;
  } catch (error) {
    fail(`${messageOf(error)}\nnpm start -- --help shows the options.`);
    return undefined;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function fail(text: string): void {
  process.stderr.write(`${text}\n`);
  process.exitCode = 1;
}

const choices = choose();
if (choices?.help === true) process.stdout.write(HELP);
else if (choices !== undefined)
  await new Run(choices).run().catch((error: unknown) => fail(`It failed: ${messageOf(error)}`));
