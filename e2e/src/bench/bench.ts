import { delay } from '@hawser/seams';
import { E2eError } from '../errors.ts';

/** Something measured: a line of a bench's output. */
export interface Figure {
  /** In snake_case, with the statistic and the unit where it has one: `echo_p50_ms`. */
  readonly figure: string;
  readonly value: number;
  readonly unit: string;
  /** How many samples or runs it was made from. */
  readonly n: number;
  /** What a reader must know of how it was measured. */
  readonly note?: string;
}

/** Where a bench writes to. */
export interface BenchOutput {
  /** Takes the line of a figure. */
  readonly print: (line: string) => void;
  /** Takes a line on what is going on. */
  readonly say: (line: string) => void;
}

const PROCESS_OUTPUT: BenchOutput = {
  print: (line) => process.stdout.write(`${line}\n`),
  say: (line) => process.stderr.write(`${line}\n`),
};

/** Digits of a figure that mean something. */
const SIGNIFICANT_DIGITS = 5;

/** A bench while it runs: prints its figures, says what it does, and cleans up. */
export class Bench {
  readonly name: string;
  readonly #output: BenchOutput;
  readonly #cleanUps: (() => Promise<void> | void)[] = [];
  readonly #figures: Figure[] = [];

  constructor(name: string, output: BenchOutput = PROCESS_OUTPUT) {
    this.name = name;
    this.#output = output;
  }

  /** The figures printed so far. */
  get figures(): readonly Figure[] {
    return this.#figures;
  }

  /**
   * Prints a figure as a line of JSON on stdout: `{"bench","figure","value","unit","n","note"?}`.
   * @throws E2eError ERR_E2E_BAD_OPTION for a value that is not a finite number, a name that is not snake_case or
   *   was printed before, or no samples
   */
  figure(figure: Figure): void {
    const { figure: name, value, unit, n, note } = figure;
    const problem = this.#problemOf(figure);
    if (problem !== undefined) throw new E2eError('ERR_E2E_BAD_OPTION', `figure ${name}: ${problem}`);
    this.#figures.push(figure);
    const rounded = Number(value.toPrecision(SIGNIFICANT_DIGITS));
    this.#output.print(JSON.stringify({ bench: this.name, figure: name, value: rounded, unit, n, note }));
  }

  /** Says on stderr what is going on. */
  say(text: string): void {
    this.#output.say(`[${this.name}] ${text}`);
  }

  /** Has something called at the end, however the bench ends; the last given is called first. */
  onEnd(cleanUp: () => Promise<void> | void): void {
    this.#cleanUps.push(cleanUp);
  }

  /** Calls all that {@link onEnd} took, every one of them. @throws AggregateError of what failed */
  async cleanUp(): Promise<void> {
    const failures: unknown[] = [];
    for (const cleanUp of this.#cleanUps.splice(0).reverse())
      try {
        await cleanUp();
      } catch (error) {
        failures.push(error);
      }
    if (failures.length > 0) throw new AggregateError(failures, 'cleaning up failed');
  }

  #problemOf({ figure, value, n }: Figure): string | undefined {
    if (!/^[a-z0-9]+(_[a-z0-9]+)*$/.test(figure)) return 'the name is not in snake_case';
    if (this.#figures.some((earlier) => earlier.figure === figure)) return 'printed twice';
    if (!Number.isFinite(value)) return `${value} is not a finite number`;
    if (!(Number.isInteger(n) && n > 0)) return `made from ${n} samples`;
    return undefined;
  }
}

/** Settings of {@link runBench}. */
export interface RunBenchOptions {
  /** When it is given up. Default 10 minutes. */
  readonly limitMs?: number;
  /** Default: the process's stdout and stderr. */
  readonly output?: BenchOutput;
}

/**
 * Runs a bench: the whole of a file `bench/NAME.bench.ts`. When `work` fails or takes too long, that is said on
 * stderr and the process will exit with 1; cleaning up is done in any case.
 * @returns whether all went well
 */
export async function runBench(
  name: string,
  work: (bench: Bench) => Promise<void>,
  options: RunBenchOptions = {},
): Promise<boolean> {
  const { limitMs = 600_000, output = PROCESS_OUTPUT } = options;
  const bench = new Bench(name, output);
  const timer = new AbortController();
  const limit = delay(limitMs, { signal: timer.signal }).then(() => {
    throw new Error(`not done within ${limitMs / 1000} s`);
  });
  let failures = 0;
  const fail = (error: unknown): void => {
    failures += 1;
    bench.say(error instanceof Error ? (error.stack ?? error.message) : String(error));
    process.exitCode = 1;
  };
  const startedMs = performance.now();
  const working = work(bench);
  await Promise.race([working, limit]).catch(fail);
  working.catch(() => {}); // what fails after the limit has been reported already, as being late
  limit.catch(() => {}); // aborted now
  timer.abort();
  await bench.cleanUp().catch(fail);
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  bench.say(`${failures === 0 ? 'done' : 'failed'} after ${seconds} s`);
  return failures === 0;
}
