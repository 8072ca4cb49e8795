import assert from 'node:assert/strict';
import type { EdgeStatus } from '@hawser/edgecore/admin';
import { NO_COLOURS } from '../../src/output/colours.ts';
import { findings } from '../../src/status/health.ts';
import { statusText, wrap } from '../../src/status/status-text.ts';
import { edgeStatus, NOW_MS } from './edge-status.ts';

function shown(status: EdgeStatus): string {
  return statusText(status, findings(status, NOW_MS), NO_COLOURS, NOW_MS);
}

const SESSION_DOWN: EdgeStatus['session'] = {
  state: 'waiting',
  since: '2026-11-22T02:48:00Z',
  attempts: 7,
  epoch: 4,
  lastError: {
    code: 'ERR_TUNNEL_DIAL',
    message: 'no answer from hub:10000',
    remedy: 'Look at the firewall.',
  },
};

describe('the status of a node, as it is shown', () => {
  it('is healthy on one screen', () => {
    const status = edgeStatus();
    assert.deepEqual(findings(status, NOW_MS), []);
    assert.equal(
      shown(status),
      [
        'shop-17  ● healthy  2026-11-22 03:00:00 UTC',
        '',
        'Cloud:       connected to 192.0.2.7:10000 by ws for 3 h 20 min (since 2026-11-21 23:40:00 UTC), 12.3 ms away',
        'Cluster:     c1, incarnation i1',
        'Node:        Ready, 192.0.2.17',
        'Pods:        4 (3 sync, 1 terminating), runtime null://',
        'Sync:        node/shop-17: in sync; 12 objects, 34 KiB',
        'Outbox:      empty: the cloud has everything',
        'Store:       healthy, 68 KiB in /var/lib/hawser/edge',
        'Certificate: ends 2027-08-01 00:00:00 UTC (in 251 days), renewed in 159 days',
        'Tokens:      2 kept',
        'edgecore:    pid 71, up 2 days, 62 MiB, edgecore/0.1.0, node v20.20.2',
      ].join('\n'),
    );
  });

  it('says first why there is no cloud, since when, and what to do', () => {
    const text = shown(
      edgeStatus({ session: SESSION_DOWN, problems: [SESSION_DOWN.lastError ?? assert.fail()] }),
    );
    const [head, , problem, remedy] = text.split('\n');
    assert.match(head ?? '', /● 1 problem/);
    assert.equal(problem, '✗ no answer from hub:10000 (ERR_TUNNEL_DIAL)');
    assert.equal(remedy, '    → Look at the firewall.');
    assert.match(text, /NOT connected for 12 min \(since 2026-11-22 02:48:00 UTC\), 7 attempts; pods go on/);
    assert.match(text, /as of the last session; 12 objects/);
  });

  it('does not count years of a clock that was set meanwhile', () => {
    const { session } = edgeStatus();
    const text = shown(edgeStatus({ session: { ...session, since: '2020-01-01T00:00:00Z' } }));
    assert.match(text, /connected to 192\.0\.2\.7:10000 by ws for 2 days \(since 2020/);
  });

  it('says that there is no session even before there is a reason', () => {
    const { lastError, ...session } = SESSION_DOWN;
    assert.ok(lastError);
    assert.deepEqual(findings(edgeStatus({ session: { ...session, state: 'connecting' } }), NOW_MS), [
      { what: 'There is no session with the hub.' },
    ]);
  });

  it('is healthy without a hub, where none is configured', () => {
    const status = edgeStatus({
      session: { state: 'off', since: '2026-11-22T02:00:00Z', attempts: 0, epoch: 0 },
    });
    assert.deepEqual(findings(status, NOW_MS), []);
    assert.match(shown(status), /the node works alone/);
  });

  it('shows a cluster that is held, why, and how to accept it', () => {
    const text = shown(
      edgeStatus({
        cluster: {
          accepted: { clusterUid: 'c1', incarnation: 'i1' },
          held: { clusterUid: 'c1', incarnation: 'i2', why: 'the API server went back' },
        },
        session: { ...SESSION_DOWN, state: 'held' },
      }),
    );
    assert.match(text, /✗ The hub speaks for another cluster.*the API server went back/s);
    assert.match(text, /→ .*hawser accept-cluster/s);
    assert.match(text, /HELD: c1, incarnation i2/);
  });

  it('shows removals that are held, and scopes that are behind', () => {
    const scope = { scope: 'node/shop-17', objects: 1, bytes: 10, synced: false, held: 9, counters: {} };
    const held = {
      code: 'ERR_EDGECORE_REMOVALS_HELD',
      message: '9 removals are held back.',
      remedy: 'Wait.',
    };
    const text = shown(edgeStatus({ scopes: [scope], problems: [held] }));
    assert.match(text, /node\/shop-17: 9 removals HELD until the hub has looked again; 1 object,/);
    const behind = edgeStatus({ scopes: [{ ...scope, held: 0 }] });
    assert.deepEqual(findings(behind, NOW_MS), [{ what: 'node/shop-17 is not in sync with the hub yet.' }]);
    assert.match(shown(behind), /catching up/);
  });

  it('does not call a node healthy that is not ready, whose disk refuses, or whose certificate ends', () => {
    const node = { ...edgeStatus().node, ready: false, message: 'no memory' };
    assert.match(findings(edgeStatus({ node }), NOW_MS)[0]?.what ?? '', /not ready: no memory/);
    const outbox = { waiting: 3, counters: {}, diskError: 'ENOSPC' };
    assert.match(findings(edgeStatus({ outbox }), NOW_MS)[0]?.what ?? '', /ENOSPC/);
    assert.match(shown(edgeStatus({ outbox })), /3 reports for the cloud to take; NOT on disk/);
    const store = { ...edgeStatus().store, healthy: false, messages: ['it was damaged'] };
    assert.match(findings(edgeStatus({ store }), NOW_MS)[0]?.what ?? '', /it was damaged/);
    for (const [expires, word] of [
      ['2026-11-25T00:00:00Z', /ends soon: refused/],
      ['2026-11-20T00:00:00Z', /has ended: refused/],
    ] as const) {
      const certificate = { subject: 's', expires, lastError: 'refused' };
      assert.match(findings(edgeStatus({ certificate }), NOW_MS)[0]?.what ?? '', word);
    }
  });

  it('says the same thing once', () => {
    const problem = { code: 'ERR_X', message: 'the same' };
    assert.equal(findings(edgeStatus({ problems: [problem, problem] }), NOW_MS).length, 1);
  });

  it('breaks lines between words', () => {
    assert.deepEqual(wrap('one two  three', 7), ['one two', 'three']);
    assert.deepEqual(wrap('averylongword a', 4), ['averylongword', 'a']);
  });
});
