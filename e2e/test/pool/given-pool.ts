import { netnsAvailable, PoolSite, type PoolSiteOptions } from '../../src/index.ts';
import { POOL_HUB } from './pool-fixture.ts';

/**
 * Opens a pool before the tests of the present `describe`, and closes it after them; they are skipped where there are no
 * network namespaces.
 * @param onOpen takes it
 */
export function givenPool(options: PoolSiteOptions, onOpen: (site: PoolSite) => void): void {
  let site: PoolSite | undefined;
  before(async function () {
    const available = await netnsAvailable();
    if (!available.ok) {
      console.log(`    skipped: ${available.reason}`);
      this.skip();
    }
    site = await PoolSite.open({ hub: POOL_HUB, ...options });
    onOpen(site);
  });
  after(async () => {
    await site?.close();
  });
}
