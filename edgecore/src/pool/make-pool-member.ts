import type { Credentials } from '@hawser/proto';
import { systemRandom } from '@hawser/seams';
import { DeltaEncoder, packUpstream, VersionCache } from '@hawser/sync';
import type { EdgePoolOptions } from '../edge-pool-types.ts';
import { StoredAcceptedCluster } from '../hub/accepted-cluster.ts';
import { SOFTWARE } from '../version.ts';
import { LanLink } from './lan-link.ts';
import { ownAddresses } from './own-addresses.ts';
import { PoolMember } from './pool-member.ts';
import { registerPoolMetrics } from './pool-metrics.ts';
import { SnapshotFolder } from './snapshot-folder.ts';

/** Former contents and encoded changes that a leader keeps for its followers, bytes: a LAN is wide. */
const ENCODER = { versionBytes: 2 * 1024 * 1024, encodedBytes: 1024 * 1024 } as const;

/**
 * The member of a pool that this node is, over sockets and disk. Nothing of it has been started.
 * @param options as for the pool and the local API together
 */
export async function makePoolMember(options: EdgePoolOptions): Promise<PoolMember> {
  const { node, config, identity, time, store, pods, statuses, reporter, outbox, requests, hub } = options;
  const { scope, events, registry, clock, random = systemRandom } = options;
  const log = options.log.child({ component: 'pool' });
  const accepted = new StoredAcceptedCluster(store.state, identity.cluster?.clusterUid);
  const life = (): ReturnType<StoredAcceptedCluster['load']> => accepted.load() ?? hub.life;
  const credentials = (): Credentials => identity.credentials();
  const wallMs = (): number => time.wallMs();
  const snapshots = new SnapshotFolder({ dataDir: config.data.dir, log });
  await snapshots.open();
  const link = new LanLink({
    ...{ node, life, credentials, wallMs, clock, random, log },
    software: SOFTWARE,
    listen: config.pool.listen,
    address: () => (config.pool.advertise === '' ? (reporter.addresses[0] ?? '') : config.pool.advertise),
    isRevoked: ({ fingerprint }) => member.isRevoked(fingerprint),
  });
  const member: PoolMember = new PoolMember({
    ...{ node, scope, life, hub, requests, outbox, link, snapshots, clock, random, log },
    replica: store.replica,
    memory: store.state,
    encoder: new DeltaEncoder({
      versions: new VersionCache(ENCODER.versionBytes),
      maxEncodedBytes: ENCODER.encodedBytes,
      // A thread of its own would cost more memory than it saves time on a LAN.
      threadAboveBytes: Infinity,
    }),
    pods: {
      credentials,
      wallMs,
      own: () => ownAddresses(pods.pods(), (uid) => statuses.get(uid), reporter.addresses),
    },
    onRefused: (leader, message) => {
      const text = `what ${leader} gave for the pool is not what the hub has signed: ${message}`;
      events.record({ kind: 'Node', apiVersion: 'v1', name: node }, 'Warning', REFUSED, text);
      const at = new Date(clock.wallMs()).toISOString();
      const body = packUpstream({ code: REFUSED, message: text, at });
      outbox.put({ kind: 'report', key: `report/${REFUSED}/${leader}`, body, keep: false });
    },
  });
  registerPoolMetrics(registry, () => member);
  return member;
}

/** Reason of the Event, and code of the report. */
const REFUSED = 'PoolStateRefused';
