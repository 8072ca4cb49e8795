import { eventually } from '@hawser/seams/testing';
import type { ClusterSite } from '../../src/cluster-site/cluster-site.ts';
import type { SiteEdge } from '../../src/cluster-site/site-edge.ts';
import { differences, wantedView } from '../../src/cluster-site/wanted-view.ts';

/** Waits until an edge has just what the API server says it should have. Fails with what is different. */
export async function sameView(site: ClusterSite, edge: SiteEdge, deadlineMs = 20_000): Promise<void> {
  let different: readonly string[] = [];
  try {
    await eventually(
      'the same view',
      async () => {
        try {
          different = differences(await edge.objects(), await wantedView(site.objects, edge.node));
        } catch (error) {
          different = [String(error)]; // its Node may not be there yet
        }
        return different.length === 0;
      },
      { deadlineMs, intervalMs: 50 },
    );
  } catch (cause) {
    const status = JSON.stringify(await edge.admin.status());
    throw new Error(`${edge.node} ${different.slice(0, 10).join(', ')}; ${status}`, { cause });
  }
}
