import assert from 'node:assert/strict';
import { asStatusError, KubeError, notFound } from '../../src/index.ts';

describe('asStatusError', () => {
  it('leaves a StatusError as it is', () => {
    const error = notFound({ group: '', resource: 'pods' }, 'a');
    assert.equal(asStatusError(error), error);
  });

  it('makes 503 of a closed store', () => {
    const closed = new KubeError('ERR_KUBE_STORE_CLOSED', 'the store is closed');
    const { status, cause } = asStatusError(closed);
    assert.equal(status.code, 503);
    assert.equal(status.reason, 'ServiceUnavailable');
    assert.equal(cause, closed);
  });

  it('makes 500 of anything else, and keeps it as cause', () => {
    const bug = new TypeError('x is undefined');
    const error = asStatusError(bug);
    assert.equal(error.status.code, 500);
    assert.equal(error.message, 'Internal error occurred: x is undefined');
    assert.equal(error.cause, bug);
    assert.equal(asStatusError('text').message, 'Internal error occurred: text');
  });
});
