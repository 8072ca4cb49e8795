import assert from 'node:assert/strict';
import { encode } from 'dns-packet';
import { makeQuestion, readQuery } from '../../src/dns/query.ts';
import { walkMessage } from '../../src/dns/record-walk.ts';
import { emptyReply, limitBytes, makeReply, passOn } from '../../src/dns/reply.ts';
import type { AnswerRecord } from '../../src/dns/answer-record.ts';
import { lines, queryBytes, read } from './dns-client.ts';

/** id 7, recursion desired, one question: `a.b` of type A, class IN. */
const QUERY = Buffer.from('000701000001000000000000' + '0161' + '0162' + '00' + '0001' + '0001', 'hex');

function changed(offset: number, ...bytes: number[]): Buffer {
  const copy = Buffer.from(QUERY);
  copy.set(bytes, offset);
  return copy;
}

function records(count: number): AnswerRecord[] {
  return Array.from({ length: count }, (_, index) => {
    return { type: 'A', name: 'a.b', ttl: 5, data: `10.0.${index >> 8}.${index & 255}` };
  });
}

describe('messages of DNS', () => {
  it('are read', () => {
    const query = readQuery(QUERY);
    assert.deepEqual(query, {
      ...{ id: 7, opcode: 0, recursionDesired: true, authenticData: false, checkingDisabled: false },
      question: { labels: ['a', 'b'], type: 1, class: 1, bytes: QUERY.subarray(12) },
      ...{ edns: undefined, refusal: undefined },
    });
    const larger = readQuery(queryBytes({ name: 'A.b', type: 'TXT', udpBytes: 4000 }));
    assert.deepEqual(larger?.edns, { udpBytes: 4000, version: 0, dnssecOk: false });
    assert.deepEqual(larger.question?.labels, ['a', 'b']);
    assert.equal(readQuery(queryBytes({ name: 'a', type: 'A', udpBytes: 12 }))?.edns?.udpBytes, 512);
  });

  it('are not answered where they are none, or answers', () => {
    assert.equal(readQuery(QUERY.subarray(0, 11)), undefined);
    assert.equal(readQuery(Buffer.alloc(0)), undefined);
    assert.equal(readQuery(changed(2, 0x81)), undefined);
  });

  it('are refused with what is wrong about them', () => {
    const cases: [string, Buffer, number][] = [
      ['no question', changed(5, 0), 1],
      ['two questions', changed(5, 2), 1],
      ['an answer in a query', changed(7, 1), 1],
      ['more records than there are', changed(11, 1), 1],
      ['many records', changed(11, 5), 1],
      ['a name that runs out', QUERY.subarray(0, 15), 1],
      ['no type', QUERY.subarray(0, 18), 1],
      ['a label of 64', changed(12, 64), 1],
      ['a name that is pointed at', changed(12, 0xc0, 12), 1],
      ['an update', changed(2, 0x28), 4],
      ['a notification', changed(2, 0x20), 4],
      ['class CHAOS', changed(20, 3), 5],
      ['type ANY', changed(17, 0, 255), 5],
      ['type AXFR', changed(17, 0, 252), 5],
      ['type IXFR', changed(17, 0, 251), 5],
      ['type OPT', changed(17, 0, 41), 1],
      ['type 0', changed(17, 0, 0), 1],
      ['too long', Buffer.concat([QUERY, Buffer.alloc(4096)]), 1],
      ['another EDNS', Buffer.concat([changed(11, 1), Buffer.from('0000290200000100000000', 'hex')]), 16],
      [
        'two EDNS',
        Buffer.concat([changed(11, 2), Buffer.from('0000290200000000000000'.repeat(2), 'hex')]),
        1,
      ],
    ];
    for (const [what, message, rcode] of cases) {
      const query = readQuery(message);
      assert.equal(query?.refusal, rcode, what);
      const reply = read(emptyReply(query, rcode));
      assert.equal(reply.id, 7, what);
      assert.ok(reply.flag_qr, what);
    }
  });

  it('of 255 bytes of name are read, and no longer ones', () => {
    const long = ['x'.repeat(63), 'x'.repeat(63), 'x'.repeat(63), 'x'.repeat(61)].join('.');
    assert.equal(readQuery(queryBytes({ name: long, type: 'A' }))?.refusal, undefined);
    const longer = Buffer.from(encode({ id: 1, flags: 0x100, questions: [{ type: 'A', name: `${long}x` }] }));
    assert.equal(readQuery(longer)?.refusal, 1);
  });

  it('answer BADVERS as its two halves', () => {
    const message = Buffer.concat([changed(11, 1), Buffer.from('0000290200000100000000', 'hex')]);
    const query = readQuery(message) ?? assert.fail();
    const reply = emptyReply(query, 16);
    assert.equal(reply.readUInt16BE(2) & 0xf, 0);
    assert.equal(walkMessage(reply)?.records[0]?.ttl, 0x0100_0000);
  });

  it('say names once, and point at them then', () => {
    const query = readQuery(queryBytes({ name: '_x._tcp.s.n.svc.d', type: 'SRV' })) ?? assert.fail();
    const reply = makeReply(
      query,
      {
        ...{ rcode: 0, authoritative: true },
        answers: [
          {
            type: 'SRV',
            name: '_x._tcp.s.n.svc.d',
            ttl: 5,
            data: { priority: 0, weight: 1, port: 2, target: 's.n.svc.d' },
          },
        ],
        additionals: [
          { type: 'A', name: 's.n.svc.d', ttl: 5, data: '10.0.0.1' },
          { type: 'A', name: 'h.other.n.svc.d', ttl: 5, data: '10.0.0.2' },
          { type: 'A', name: 'elsewhere', ttl: 5, data: '10.0.0.3' },
        ],
      },
      'udp',
    );
    assert.deepEqual(lines(read(reply).additionals), [
      'elsewhere 5 A 10.0.0.3',
      'h.other.n.svc.d 5 A 10.0.0.2',
      's.n.svc.d 5 A 10.0.0.1',
    ]);
    // Header, question, SRV with its whole target, A behind pointers.
    assert.equal(reply.length, 12 + 23 + (2 + 10 + 6 + 11) + (2 + 14) + (8 + 2 + 14) + (11 + 14));
  });

  it('are cut to what the client takes, and say so', () => {
    const answered = { rcode: 0, authoritative: true, answers: records(5000), additionals: records(1) };
    for (const [udpBytes, limit] of [
      [undefined, 512],
      [400, 512],
      [1000, 1000],
      [65_000, 1232],
    ] as const) {
      const query =
        readQuery(queryBytes({ name: 'a.b', type: 'A', ...(udpBytes !== undefined && { udpBytes }) })) ??
        assert.fail();
      assert.equal(limitBytes(query, 'udp'), limit);
      const reply = read(makeReply(query, answered, 'udp'));
      assert.ok(reply.flag_tc);
      assert.ok(reply.bytes <= limit && reply.bytes > limit - 16, String(reply.bytes));
      assert.equal(reply.additionals?.length, udpBytes === undefined ? 0 : 1);
    }
    const query = readQuery(QUERY) ?? assert.fail();
    const whole = read(makeReply(query, { ...answered, answers: records(4000) }, 'tcp'));
    assert.ok(!whole.flag_tc);
    assert.equal(whole.answers?.length, 4000);
    assert.ok(read(makeReply(query, answered, 'tcp')).flag_tc);
  });

  it('leave out additional records where there is no room, without saying so', () => {
    const query = readQuery(QUERY) ?? assert.fail();
    const answers = records(30);
    const reply = read(
      makeReply(query, { rcode: 0, authoritative: true, answers, additionals: records(20) }, 'udp'),
    );
    assert.equal(reply.answers?.length, 30);
    assert.ok((reply.additionals?.length ?? 20) < 20);
    assert.ok(!reply.flag_tc);
  });

  it('of others are passed on with the id and the letters of the client', () => {
    const query = readQuery(queryBytes({ name: 'WWW.Example.com', type: 'A', id: 99 })) ?? assert.fail();
    const message = encode({
      ...{ type: 'response', id: 1, flags: 0x0580 },
      questions: [{ type: 'A', name: 'www.example.com' }],
      answers: [{ type: 'A', name: 'www.example.com', ttl: 9, data: '192.0.2.1' }],
    });
    const reply = read(passOn(query, message, 'udp'));
    assert.equal(reply.id, 99);
    assert.equal(reply.questions?.[0]?.name, 'WWW.Example.com');
    assert.ok(reply.flag_ra && !reply.flag_aa);
    assert.deepEqual(lines(reply.answers), ['www.example.com 9 A 192.0.2.1']);
  });

  it('of others that do not fit are cut whole', () => {
    const query = readQuery(queryBytes({ name: 'a.b', type: 'A' })) ?? assert.fail();
    const answers = records(100);
    const message = encode({ type: 'response', questions: [{ type: 'A', name: 'a.b' }], answers });
    const reply = read(passOn(query, message, 'udp'));
    assert.ok(reply.flag_tc);
    assert.deepEqual(reply.answers, []);
    assert.equal(read(passOn(query, message, 'tcp')).answers?.length, 100);
  });

  it('of others that are about something else are a failure', () => {
    const query = readQuery(queryBytes({ name: 'a.b', type: 'A' })) ?? assert.fail();
    const message = encode({ type: 'response', questions: [{ type: 'A', name: 'a.longer' }] });
    assert.equal(read(passOn(query, message, 'udp')).rcode, 'SERVFAIL');
    assert.equal(read(passOn(query, Buffer.alloc(12), 'udp')).rcode, 'SERVFAIL');
  });

  it('of our own making are those of the library', () => {
    const { bytes } = makeQuestion('www.Example.com', 28);
    const other = encode({ questions: [{ type: 'AAAA', name: 'www.Example.com' }] });
    assert.deepEqual(bytes, other.subarray(12));
    assert.deepEqual(makeQuestion('', 2).bytes, Buffer.of(0, 0, 2, 0, 1));
  });
});
