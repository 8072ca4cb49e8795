import assert from 'node:assert/strict';
import { TunnelError, type Credentials } from '@hawser/proto';
import { TestAuthority } from '@hawser/proto/testing';
import { openAddresses, signAddresses, type AddressChecks } from '../../src/pool/address-signature.ts';
import { compareContenders, compareVersions, type Contender } from '../../src/pool/leader-order.ts';
import { readAddress } from '../../src/pool/lan-address.ts';
import { readMembership, readRoster } from '../../src/pool/pool-documents.ts';
import { readPeerAnswer, readPeerMessage, type SignedAddresses } from '../../src/pool/peer-messages.ts';
import { poolTimes } from '../../src/pool/pool-times.ts';

const STATUS = {
  ...{
    node: 'a',
    pool: 'shop',
    endpoint: 'a:1',
    epoch: 3,
    version: '10',
    rosterVersion: '9',
    complete: true,
  },
  ...{ state: 'LIVE', leader: 'b', leads: false, provisional: false, ready: false, cloud: true, cloudMs: 5 },
  ...{ electing: false, stopping: false, life: '' },
};

describe('What peers say', () => {
  it('is read as it was said', () => {
    const roster = { stamp: 'AA==', version: '7', content: '{}' };
    const signed = { node: 'a', sequence: 1, pods: '[]', certificate: 'AA==', signature: 'AA==' };
    const message = { status: STATUS, roster, addresses: [signed], has: { b: 4 }, wantsMembers: true };
    assert.deepEqual(readPeerMessage(JSON.parse(JSON.stringify(message))), message);
    const members = [{ name: 'c', state: 'STALE', version: '', heardMs: 4 }];
    const answer = { status: STATUS, handover: 'c', members };
    assert.deepEqual(readPeerAnswer(JSON.parse(JSON.stringify(answer))), answer);
  });

  for (const [what, status] of [
    ['an epoch beyond all', { epoch: 2 ** 50 }],
    ['an epoch that is no number', { epoch: '3' }],
    ['an epoch below nothing', { epoch: -1 }],
    ['a version that is none', { version: '1e9' }],
    ['a version that is too long', { version: '1'.repeat(40) }],
    ['a state of its own', { state: 'GREAT' }],
    ['a name that is too long', { node: 'n'.repeat(300) }],
    ['an endpoint that is too long', { endpoint: 'n'.repeat(400) }],
    ['no time', { cloudMs: null }],
  ] as const)
    it(`is not believed with ${what}`, () => {
      assert.equal(readPeerMessage({ status: { ...STATUS, ...status } }), undefined);
      assert.equal(readPeerAnswer({ status: { ...STATUS, ...status } }), undefined);
    });

  it('is not believed where a part of it is broken', () => {
    for (const part of [
      { roster: { stamp: 1 } },
      { roster: [] },
      { addresses: [{}] },
      { addresses: {} },
      { has: { a: -1 } },
      { has: [] },
      { has: Object.fromEntries(Array.from({ length: 1_001 }, (_, index) => [`n${index}`, 1])) },
    ])
      assert.equal(
        readPeerMessage({ status: STATUS, ...part }),
        undefined,
        JSON.stringify(part).slice(0, 80),
      );
    for (const value of [undefined, null, 7, 'x', [], {}, { status: null }])
      assert.equal(readPeerMessage(value), undefined);
    assert.equal(readPeerAnswer({ status: STATUS, members: [{ name: 'x' }] }), undefined);
    assert.equal(readPeerAnswer({ status: STATUS, handover: 7 }), undefined);
  });
});

describe('What the hub says', () => {
  const bytesOf = (spec: unknown): Uint8Array => Buffer.from(JSON.stringify({ spec }));
  const membership = { pool: 'shop', leader: 'a', endpoint: 'a:1', epoch: 4, keys: ['x'] };
  const roster = {
    ...{ pool: 'shop', epoch: 4, leader: 'a', revoked: [], heartbeatSeconds: 2, resources: [] },
    members: [{ name: 'a', endpoint: '', zone: '', eligible: true }],
  };

  it('is read as it was said', () => {
    assert.deepEqual(readMembership(bytesOf(membership)), membership);
    assert.deepEqual(readRoster({ bytes: bytesOf(roster) }), roster);
  });

  it('is not taken where it cannot be understood', () => {
    for (const part of [{ pool: '' }, { pool: 'a/b' }, { epoch: 1.5 }, { keys: [1] }, { leader: 3 }])
      assert.equal(readMembership(bytesOf({ ...membership, ...part })), undefined);
    for (const part of [{ members: {} }, { members: [{}] }, { resources: [{ group: '' }] }, { revoked: 'x' }])
      assert.equal(readRoster({ bytes: bytesOf({ ...roster, ...part }) }), undefined);
    assert.equal(readMembership(Buffer.from('no JSON')), undefined);
    assert.equal(readRoster({ bytes: Buffer.from('null') }), undefined);
  });
});

describe('The order of leaders', () => {
  const one: Contender = {
    ...{ node: 'b', epoch: 2, provisional: true, heardByCloud: false, complete: true, version: '99' },
  };

  it('goes by epoch, appointment, version and name', () => {
    for (const better of [
      { ...one, epoch: 3, version: '1', node: 'z' },
      { ...one, provisional: false, heardByCloud: true, version: '1', node: 'z' },
      { ...one, version: '100', node: 'z' },
      { ...one, node: 'a' },
    ]) {
      assert.ok(compareContenders(better, one) < 0, JSON.stringify(better));
      assert.ok(compareContenders(one, better) > 0);
    }
    // Only whoever has all can give all.
    assert.ok(compareContenders(one, { ...one, complete: false, version: '100', node: 'a' }) < 0);
    assert.equal(compareContenders(one, { ...one }), 0);
    // An appointment without the cloud behind it counts for nothing.
    assert.equal(compareContenders({ ...one, provisional: false }, one), 0);
  });

  it('counts versions as numbers', () => {
    assert.ok(compareVersions('9', '10') < 0);
    assert.ok(compareVersions('', '0') < 0);
    assert.equal(compareVersions('12', '12'), 0);
  });
});

describe('Addresses of peers', () => {
  it('are read', () => {
    assert.deepEqual(readAddress('10.0.0.1:10263'), { host: '10.0.0.1', port: 10_263 });
    assert.deepEqual(readAddress('[fd00::1]:1'), { host: 'fd00::1', port: 1 });
    for (const text of ['', 'a', 'a:', ':1', 'a:70000', '::1:2', 'a b:1', 'http://a:1'])
      assert.equal(readAddress(text), undefined, text);
  });
});

describe('Times of a pool', () => {
  it('grow and shrink with the heartbeat, within bounds', () => {
    assert.equal(poolTimes().expiryMs, 15_000);
    assert.equal(poolTimes(0.5).graceMs, 3_000);
    assert.equal(poolTimes(0).heartbeatMs, 200);
    assert.equal(poolTimes(1e9).heartbeatMs, 60_000);
    assert.equal(poolTimes(0.2).dialMs, 1_000, 'a machine may be busy');
  });
});

describe('Signed addresses of pods', () => {
  let authority: TestAuthority;
  let own: Credentials;
  let checks: AddressChecks;
  let signed: SignedAddresses;
  const pods = new Map([['uid-1', { ready: true, ips: ['10.1.0.1', 'fd00::1'] }]]);

  before(async () => {
    authority = await TestAuthority.create();
    own = await authority.edge('a');
    signed = signAddresses(pods, { pool: 'shop', node: 'a', sequence: 5 }, own);
    checks = {
      pool: 'shop',
      authorities: [authority.certificate],
      isRevoked: () => false,
      wallMs: () => Date.now(),
    };
  });

  it('are opened with either kind of key', async () => {
    assert.deepEqual(openAddresses(signed, checks), pods);
    const other = await authority.edge('b', { keyType: 'p256' });
    const of = { pool: 'shop', node: 'b', sequence: 1 };
    assert.deepEqual(openAddresses(signAddresses(pods, of, other), checks), pods);
  });

  it('are not opened where anything of them is another', () => {
    for (const part of [{ sequence: 6 }, { pods: '[]' }, { signature: 'AAAA' }])
      assert.equal(openAddresses({ ...signed, ...part }, checks), undefined, JSON.stringify(part));
    assert.equal(openAddresses(signed, { ...checks, pool: 'other' }), undefined);
    const codes: unknown[] = [];
    for (const [part, checked] of [
      [{ node: 'b' }, checks],
      [{ certificate: 'AAAA' }, checks],
      [{}, { ...checks, isRevoked: () => true }],
      [{}, { ...checks, wallMs: () => Date.now() + 1e12 }],
    ] as const)
      try {
        openAddresses({ ...signed, ...part }, checked);
      } catch (error) {
        codes.push(error instanceof TunnelError && error.code);
      }
    assert.deepEqual(codes, [
      'ERR_TUNNEL_CERT_NAME',
      'ERR_TUNNEL_CERT_MALFORMED',
      'ERR_TUNNEL_CERT_REVOKED',
      'ERR_TUNNEL_CERT_EXPIRED',
    ]);
  });

  it('hold no more than a message takes', () => {
    const many = new Map(
      Array.from({ length: 5_000 }, (_, index) => [
        `uid-${index}`,
        { ready: true, ips: ['fd00:1:2:3:4:5:6:7'] },
      ]),
    );
    const all = signAddresses(many, { pool: 'shop', node: 'a', sequence: 5 }, own);
    assert.ok(all.pods.length <= 64 * 1024);
    assert.equal(openAddresses(all, checks)?.size, 1_000);
  });
});
