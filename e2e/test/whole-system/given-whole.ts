import { WholeSite } from '../../src/whole-site/whole-site.ts';
import { Steps } from './steps.ts';

/**
 * Opens a site before the tests of the present `describe`, and closes it after them; they are skipped, with the reason
 * on the screen, where it cannot be opened.
 */
export function givenWhole(transport: 'ws' | 'quic'): Steps {
  let site: WholeSite | undefined;
  const steps = new Steps(() => {
    if (site === undefined) throw new TypeError('it is open, or the tests are skipped');
    return site;
  });
  before(async function () {
    this.timeout(120_000);
    const missing = await WholeSite.missing();
    if (missing !== undefined) {
      console.log(`    skipped: ${missing}`);
      this.skip();
    }
    site = await WholeSite.open({ transport });
  });
  after(async function () {
    this.timeout(60_000);
    process.stdout.write(steps.table());
    await site?.close();
  });
  return steps;
}
