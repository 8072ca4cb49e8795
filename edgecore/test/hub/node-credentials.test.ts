import assert from 'node:assert/strict';
import { TunnelError, type Credentials } from '@hawser/proto';
import { TestAuthority } from '@hawser/proto/testing';
import { silentLogger } from '@hawser/seams';
import { NodeCredentials } from '../../src/hub/node-credentials.ts';

describe('NodeCredentials', () => {
  let held: Credentials;
  let told: string[];
  let credentials: NodeCredentials;

  before(async () => {
    held = await (await TestAuthority.create()).edge();
  });
  beforeEach(() => {
    told = [];
    credentials = new NodeCredentials({
      identity: {
        credentials: () => held,
        confirm: (used) => {
          told.push(`confirm ${used === held}`);
          return Promise.reject(new Error('the disk is full'));
        },
        refused: (used) => told.push(`refused ${used === held}`),
      },
      rotation: {
        renewNow: () => {
          told.push('renew');
          return Promise.resolve();
        },
      },
      log: silentLogger,
    });
  });

  it('tells the identity which certificate a hub has let in', () => {
    credentials.letIn();
    assert.deepEqual(told, [], 'nothing was shown yet');
    assert.equal(credentials.show(), held);
    credentials.letIn();
    assert.deepEqual(told, ['confirm true']);
  });

  it('tells it which one a hub refuses, and renews one that is over', () => {
    credentials.show();
    credentials.failed(new TunnelError('ERR_TUNNEL_DIAL', 'no route'));
    assert.deepEqual(told, []);
    credentials.failed(new TunnelError('ERR_TUNNEL_CERT_UNTRUSTED', 'who is that', { certificate: 'own' }));
    assert.deepEqual(told, ['refused true']);
    credentials.failed(new TunnelError('ERR_TUNNEL_CERT_EXPIRED', 'it is over', { certificate: 'own' }));
    assert.deepEqual(told, ['refused true', 'refused true', 'renew']);
  });

  it('renews nothing because the certificate of the hub is over', () => {
    credentials.show();
    credentials.failed(new TunnelError('ERR_TUNNEL_CERT_EXPIRED', 'it is over', { certificate: 'peer' }));
    assert.deepEqual(told, ['refused true']);
  });
});
