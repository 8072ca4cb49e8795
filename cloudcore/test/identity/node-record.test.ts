import assert from 'node:assert/strict';
import {
  decodeRecord,
  encodeRecord,
  isOut,
  isRevokedBy,
  revoked,
  withCertificate,
  type IssuedCertificate,
  type NodeRecord,
} from '../../src/identity/node-record.ts';

describe('the record of a node', () => {
  const nowMs = Date.parse('2026-06-01T00:00:00Z');
  const certificate = (fingerprint: string, notAfter: string): IssuedCertificate => ({
    ...{ serial: '01', fingerprint, key: 'k', issuedAt: '2026-01-01T00:00:00.000Z', notAfter },
  });
  const living = certificate('aa', '2027-01-01T00:00:00.000Z');
  const expired = certificate('bb', '2026-05-01T00:00:00.000Z');

  it('remembers which certificates it has revoked, while they would go on', () => {
    const record: NodeRecord = { node: 'edge-1', certificates: [expired, living] };
    const out = revoked(record, nowMs);
    assert.deepEqual(out.former, [{ fingerprint: 'aa', notAfter: living.notAfter }]);
    assert.equal(isOut(out), true);
    const again = withCertificate(out, certificate('cc', '2027-06-01T00:00:00.000Z'), nowMs);
    assert.deepEqual(
      [isOut(again), isRevokedBy(again, 'aa'), isRevokedBy(again, 'cc')],
      [false, true, false],
    );
    const twice = revoked(again, nowMs);
    assert.deepEqual(
      twice.former?.map(({ fingerprint }) => fingerprint),
      ['aa', 'cc'],
    );
    assert.deepEqual(decodeRecord(encodeRecord(twice)), twice);
  });

  it('is bounded in what it remembers', () => {
    let record: NodeRecord = { node: 'edge-1', certificates: [] };
    for (let index = 0; index < 50; index++)
      record = revoked({ ...record, certificates: [certificate(`f${index}`, living.notAfter)] }, nowMs);
    assert.equal(record.former?.length, 32);
    assert.equal(record.former.at(-1)?.fingerprint, 'f49');
  });

  it('keeps its node out where what it remembers cannot be read', () => {
    const object = encodeRecord({ node: 'edge-1', certificates: [] });
    for (const former of ['nonsense', '{}', '[7]', '[{"fingerprint":"aa","notAfter":"never"}]'])
      assert.throws(() => decodeRecord({ ...object, data: { ...(object['data'] as object), former } }), {
        code: 'ERR_CLOUDCORE_NODE_RECORD',
      });
  });
});
