import type { DeltaEncoderCounters, PublisherCounters } from '@hawser/sync';
import { Counter, Gauge, type Registry } from 'prom-client';

/** Where the numbers come from; read when the metrics are. */
export interface SyncMetricsSources {
  readonly publishers: () => PublisherCounters;
  readonly encoder: () => DeltaEncoderCounters;
}

type Source = (sources: SyncMetricsSources) => number;

const COUNTERS: Readonly<Record<string, { readonly help: string; readonly value: Source }>> = {
  hawser_sync_unchanged_total: {
    help: 'Subscriptions whose edge had everything already.',
    value: ({ publishers }) => publishers().unchanged,
  },
  hawser_sync_inventories_total: {
    help: 'Inventories that edges were asked for, because digests differed.',
    value: ({ publishers }) => publishers().inventories,
  },
  hawser_sync_batches_total: {
    help: 'Batches of changes sent.',
    value: ({ publishers }) => publishers().batches,
  },
  hawser_sync_object_bytes_total: {
    help: 'Bytes of objects sent, as they travel.',
    value: ({ publishers }) => publishers().objectBytes,
  },
  hawser_sync_wanted_full_total: {
    help: 'Objects that an edge could not make from what it had.',
    value: ({ publishers }) => publishers().wantedFull,
  },
  hawser_sync_holds_total: {
    help: 'Mass removals that edges held back.',
    value: ({ publishers }) => publishers().holds,
  },
  hawser_sync_confirmations_total: {
    help: 'Mass removals that were confirmed after a second look.',
    value: ({ publishers }) => publishers().confirmations,
  },
  hawser_sync_oversized_total: {
    help: 'Objects not sent because they are too large.',
    value: ({ publishers }) => publishers().oversized,
  },
  hawser_sync_encodings_reused_total: {
    help: 'Changes whose encoding was there already, made for another session.',
    value: ({ encoder }) => encoder().reused,
  },
  hawser_sync_bases_missing_total: {
    help: 'Changes sent whole because the hub did not have the bytes of the version that the edge has.',
    value: ({ encoder }) => encoder().basesMissing,
  },
  hawser_sync_encoder_breaks_total: {
    help: 'Times that the encoding thread broke.',
    value: ({ encoder }) => encoder().threadBreaks,
  },
};

/** Prometheus metrics of delta sync at the hub, over all sessions. */
export function syncMetrics(registry: Registry, sources: SyncMetricsSources): void {
  const registers = [registry];
  for (const [name, { help, value }] of Object.entries(COUNTERS)) {
    new Counter({
      ...{ name, help, registers },
      collect() {
        this.reset();
        this.inc(value(sources));
      },
    });
  }
  new Counter({
    name: 'hawser_sync_changes_total',
    help: 'Changes sent, by how: full, delta, removed, rehashed.',
    labelNames: ['how'],
    registers,
    collect() {
      const { fulls, deltas, removals, rehashes } = sources.publishers();
      this.reset();
      for (const [how, count] of Object.entries({
        full: fulls,
        delta: deltas,
        removed: removals,
        rehashed: rehashes,
      }))
        this.inc({ how }, count);
    },
  });
  new Gauge({
    name: 'hawser_sync_versions_bytes',
    help: 'Bytes of former versions kept to make deltas against.',
    registers,
    collect() {
      this.set(sources.encoder().versionBytesNow);
    },
  });
}
