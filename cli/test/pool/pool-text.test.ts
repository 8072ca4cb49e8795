import assert from 'node:assert/strict';
import type { PoolStatus } from '@hawser/edgecore/admin';
import { NO_COLOURS } from '../../src/output/colours.ts';
import { poolFindings } from '../../src/pool/pool-health.ts';
import { poolText } from '../../src/pool/pool-text.ts';
import { NOW_MS, samplePool } from './pool-status.ts';

function shown(status: PoolStatus): string {
  return poolText(status, poolFindings(status, NOW_MS), NO_COLOURS, NOW_MS);
}

function whats(replaced: Partial<PoolStatus>): readonly string[] {
  return poolFindings(samplePool(replaced), NOW_MS).map(({ what }) => what);
}

describe('the pool of a node, as it is shown', () => {
  it('is well on one screen', () => {
    const status = samplePool();
    assert.deepEqual(poolFindings(status, NOW_MS), []);
    assert.equal(
      shown(status),
      [
        'till-2 in pool shop-1  ● well  2026-11-22 03:00:00 UTC',
        '',
        'State:  LIVE for 1 h (since 2026-11-22 02:00:00 UTC)',
        'Leader: till-1 at 192.0.2.1:10263, epoch 7',
        'Cloud:  last heard 3 s ago',
        '',
        'MEMBER  ROLE       STATE      HEARD  MAY LEAD  VERSION  ENDPOINT',
        'till-1  leader     LIVE       2 s    yes       812      192.0.2.1:10263',
        'till-2  this node  LIVE       0 s    yes       812      192.0.2.2:10263',
        'till-3             <unknown>         no                 <none>',
        '',
        'RESOURCE                         VERSION  OBJECTS  SIZE     FROM    SYNC',
        'endpointslices.discovery.k8s.io  812      120      234 KiB  leader  in sync',
        'services                         790      40       31 KiB   leader  in sync',
      ].join('\n'),
    );
  });

  it('says of a stale one since when, how old it is, and where to look', () => {
    const text = shown(samplePool({ state: 'STALE', since: '2026-11-22T02:48:00Z', ageSeconds: 750 }));
    assert.match(text, /● 1 problem/);
    assert.match(
      text.replaceAll(/\s+/g, ' '),
      /✗ Neither the cloud nor a leader that hears it is reached since 2026-11-22 02:48:00 UTC, 12 min ago\. Programs here read the pool as it was; the cloud was last heard 12 min ago\./,
    );
    assert.match(
      text.replaceAll(/\s+/g, ' '),
      /→ Look at the way to the cloud .* \(nc -vz 192\.0\.2\.1 10263\)/,
    );
  });

  it('says of a leader that is silent, and of a pool without one', () => {
    assert.match(
      whats({ state: 'GRACE' })[0] ?? '',
      /The leader till-1 is silent since .* another leader is being found/,
    );
    assert.match(whats({ leader: '' })[0] ?? '', /The pool has no leader since/);
    assert.match(
      whats({ state: 'GRACE', leader: '', epoch: 0 })[0] ?? '',
      /No leader .* heard of yet, since/,
    );
    assert.match(whats({ state: 'DIRECT' })[0] ?? '', /No leader is reached over the LAN/);
  });

  it('says when the cloud is not heard by the leader, or the pool leads itself', () => {
    assert.match(
      whats({ ageSeconds: 90 })[0] ?? '',
      /till-1 leads, and does not hear the cloud: .* 1 min 30 s ago/,
    );
    assert.deepEqual(whats({ ageSeconds: 59 }), []);
    assert.match(
      whats({ provisional: true })[0] ?? '',
      /The pool leads itself \(till-1\), without the cloud/,
    );
  });

  it('shows problems with their code, and what to do where that is known', () => {
    const found = poolFindings(
      samplePool({ problems: [{ code: 'ERR_A', message: 'It is ill.', remedy: 'Mend it.' }] }),
      NOW_MS,
    );
    assert.deepEqual(found, [{ code: 'ERR_A', what: 'It is ill.', remedy: 'Mend it.' }]);
    assert.deepEqual(poolFindings(samplePool({ problems: [{ code: 'ERR_OTHER', message: 'x' }] }), NOW_MS), [
      { what: 'x', code: 'ERR_OTHER' },
    ]);
  });

  it('shows a resource that is not in sync, unless the state says why', () => {
    const resources = samplePool().resources.map((one) => ({
      ...one,
      synced: false,
      source: 'snapshot' as const,
    }));
    assert.deepEqual(whats({ resources }), [
      'endpointslices.discovery.k8s.io is not in sync: it is as of version 812, from the disk.',
      'services is not in sync: it is as of version 790, from the disk.',
    ]);
    assert.equal(whats({ resources, state: 'STALE' }).length, 1);
    assert.match(shown(samplePool({ resources })), /services +790 .* snapshot +NOT in sync/);
  });

  it('shows, at the leader, members that are silent', () => {
    const members = samplePool().members.map((member) => ({ ...member, heardSeconds: 300 }));
    assert.deepEqual(whats({ members }), []);
    assert.deepEqual(whats({ members, leader: 'till-2' }), [
      'till-1 was last heard of 5 min ago.',
      'till-3 was last heard of 5 min ago.',
    ]);
  });

  it('shows a node without a pool, whose local API is used', () => {
    const text = shown(samplePool({ pool: '~till-2', leader: 'till-2', members: [] }));
    assert.match(text, /^till-2, in no pool {2}● well/);
    assert.doesNotMatch(text, /Leader|MEMBER/);
  });
});
