import { Counter, type Registry } from '@hawser/seams/metrics';

/** What has become of a pull: it came, the registry or the runtime refused or failed, it was given up. */
export type PullResult = 'pulled' | 'failed' | 'aborted';

/** What keeps a node tidy has done since the start. */
export interface KeeperCounts {
  readonly rotations: () => number;
  readonly containers: () => number;
  readonly images: () => number;
  readonly imageBytes: () => number;
}

/** Registers what is counted of pulls, rotations and collections; answers the counter of pulls. */
export function podKeeperMetrics(registry: Registry, counts: KeeperCounts): Counter<'result'> {
  const registers = [registry];
  const counted: readonly (readonly [string, string, () => number])[] = [
    ['hawser_edge_log_rotations_total', 'Logs of containers that were rotated.', counts.rotations],
    [
      'hawser_edge_collected_containers_total',
      'Dead containers that were removed, with their logs.',
      counts.containers,
    ],
    ['hawser_edge_collected_images_total', 'Unused images that were removed.', counts.images],
    [
      'hawser_edge_collected_image_bytes_total',
      'Size of the unused images that were removed.',
      counts.imageBytes,
    ],
  ];
  for (const [name, help, count] of counted) {
    new Counter({
      ...{ name, help, registers },
      collect() {
        this.reset();
        this.inc(count());
      },
    });
  }
  const pulls = new Counter({
    name: 'hawser_edge_image_pulls_total',
    help: 'Pulls of images that pods waited for: pulled, failed or aborted. One that several wait for counts once.',
    labelNames: ['result'] as const,
    registers,
  });
  for (const result of ['pulled', 'failed', 'aborted'] as const) pulls.inc({ result }, 0);
  return pulls;
}
