import assert from 'node:assert/strict';
import { hawser } from '#codec';
import { TUNNEL_ERRORS, TunnelError, type CloseCode } from '../../src/index.ts';
import {
  closeCodeFromWire,
  closeCodeToWire,
  closeError,
  decodeCloseReason,
  encodeCloseReason,
  fromCloseNotice,
  reasonFor,
  toCloseNotice,
} from '../../src/transport/close-reason.ts';
import { CLOSE_REASONS } from '../codec/samples.ts';

const WIRE = hawser.tunnel.v1.CloseCode;
const codes = Object.keys(CLOSE_REASONS) as CloseCode[];

describe('Close reasons', () => {
  it('have a code of the schema each, and the schema has no other', () => {
    const wire = codes.map(closeCodeToWire);
    assert.equal(new Set(wire).size, codes.length);
    const numbers = Object.values(WIRE).filter((value) => typeof value === 'number');
    assert.deepEqual([...wire, WIRE.CLOSE_CODE_UNSPECIFIED].sort(), [...new Set(numbers)].sort());
  });

  it('come back from the wire as they went', () => {
    for (const code of codes) assert.equal(closeCodeFromWire(closeCodeToWire(code)), code);
  });

  it('say nothing on the wire of a connection that was lost', () => {
    assert.equal(closeCodeToWire('connection-lost'), WIRE.CLOSE_CODE_UNSPECIFIED);
    assert.equal(
      closeCodeFromWire(WIRE.CLOSE_CODE_UNSPECIFIED),
      'normal',
      'a peer cannot claim that it was lost',
    );
  });

  it('cut what is too long, at 1024 bytes and between characters', () => {
    for (const text of ['x'.repeat(5000), '€'.repeat(5000), '😀'.repeat(5000), `x${'😀'.repeat(5000)}`]) {
      const { message } = decodeCloseReason(encodeCloseReason({ code: 'normal', message: text }));
      assert.ok(Buffer.byteLength(message) <= 1024, `${Buffer.byteLength(message)} bytes`);
      assert.ok(message.length >= 250);
      assert.equal(Buffer.from(message).toString(), message);
    }
    assert.ok(
      fromCloseNotice({ code: WIRE.CLOSE_CODE_NORMAL, message: 'x'.repeat(5000), retryAfterMs: 0 }).message
        .length <= 1024,
    );
  });

  it('carry how long to stay away, or nothing', () => {
    assert.equal(toCloseNotice({ code: 'normal', message: '' }).retryAfterMs, 0);
    assert.equal(
      'retryAfterMs' in decodeCloseReason(encodeCloseReason({ code: 'normal', message: '' })),
      false,
    );
    const reason = decodeCloseReason(encodeCloseReason({ code: 'overloaded', message: '', retryAfterMs: 1 }));
    assert.equal(reason.retryAfterMs, 1);
  });

  it('become errors with a code of the table, who closed, and how long to stay away', () => {
    for (const code of [...codes, 'connection-lost'] as const) {
      const error = closeError({ code, message: 'because', by: 'remote', retryAfterMs: 7 });
      assert.ok(error.code in TUNNEL_ERRORS);
      assert.equal(error.retryAfterMs, 7);
      assert.match(
        error.message,
        code === 'connection-lost' ? /^because$/ : new RegExp(`^the peer closed \\(${code}\\): because$`),
      );
    }
    assert.match(closeError({ code: 'normal', message: 'x' }).message, /^this side closed/);
    assert.equal(closeError({ code: 'normal', message: 'x' }).code, 'ERR_TUNNEL_CLOSED');
    assert.equal(closeError({ code: 'revoked', message: 'x' }).code, 'ERR_TUNNEL_CERT_REVOKED');
    assert.equal(closeError({ code: 'connection-lost', message: 'x' }).code, 'ERR_TUNNEL_CONNECTION_LOST');
  });

  it('tell a peer that broke the protocol apart from one that asked too much, and both from our own faults', () => {
    const reason = (code: keyof typeof TUNNEL_ERRORS): CloseCode =>
      reasonFor(new TunnelError(code, 'x')).code;
    assert.equal(reason('ERR_TUNNEL_BAD_FRAME'), 'protocol-error');
    assert.equal(reason('ERR_TUNNEL_UNKNOWN_FRAME'), 'protocol-error');
    assert.equal(reason('ERR_TUNNEL_LIMIT'), 'limit-exceeded');
    assert.equal(reason('ERR_TUNNEL_FLOW_CONTROL'), 'limit-exceeded');
    assert.equal(reasonFor(new Error('a bug')).code, 'internal');
    assert.equal(reasonFor('not even an error').message, 'not even an error');
  });
});
