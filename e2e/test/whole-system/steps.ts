import { scaled, within } from '@hawser/seams/testing';
import { wholeReport } from '../../src/whole-site/whole-report.ts';
import type { WholeSite } from '../../src/whole-site/whole-site.ts';

/** Of a step, at most: the machine may be busy with other tests. */
const LONGEST_STEP_MS = scaled(120_000, 400_000);
/** What the report of a failure may take. */
const REPORT_MS = 60_000;
/** Set: how long each step took is printed at the end. */
const VERBOSE = process.env['HAWSER_VERBOSE'] === '1';

/**
 * Steps of one scenario, a test each: after one that has failed, the others are skipped. A failure is told with all that
 * is known of the site.
 */
export class Steps {
  readonly #site: () => WholeSite;
  readonly #tookMs: [title: string, ms: number][] = [];
  #failed: string | undefined;

  constructor(site: () => WholeSite) {
    this.#site = site;
  }

  /** The next step. */
  step(title: string, work: (site: WholeSite) => Promise<void>): void {
    const isLost = (): boolean => this.#failed !== undefined;
    const run = (): Promise<void> => this.#run(title, work);
    it(title, async function () {
      if (isLost()) this.skip();
      await run();
    }).timeout(LONGEST_STEP_MS + REPORT_MS);
  }

  /** A line for each step, and their sum; empty where nobody has asked for it. */
  table(): string {
    if (!VERBOSE) return '';
    const sumMs = this.#tookMs.reduce((sum, [, ms]) => sum + ms, 0);
    const rows = [...this.#tookMs, ['altogether', sumMs] as const];
    return rows.map(([title, ms]) => `      ${(ms / 1000).toFixed(1).padStart(6)} s  ${title}\n`).join('');
  }

  async #run(title: string, work: (site: WholeSite) => Promise<void>): Promise<void> {
    const startedMs = performance.now();
    try {
      await within(title, work(this.#site()), LONGEST_STEP_MS);
    } catch (cause) {
      this.#failed = title;
      const report = await wholeReport(this.#site());
      throw new Error(`${title}: ${(cause as Error).message}\n${report}`, { cause });
    } finally {
      this.#tookMs.push([title, performance.now() - startedMs]);
    }
  }
}
