import assert from 'node:assert/strict';
import { encodeCaller, type StreamCaller } from '@hawser/proto';
import { accountOf } from '../../src/api-access/account.ts';
import { AccessRefusal } from '../../src/api-access/refusal.ts';
import { GivenView } from '../given-view.ts';
import { caller } from './access-site.ts';

describe('for whom a node may speak', () => {
  const view = new GivenView();
  view.setPod('default', 'web-1', { uid: 'u1', nodeName: 'edge-1', serviceAccountName: 'web' });
  view.setPod('default', 'web-2', { uid: 'u2', nodeName: 'edge-2', serviceAccountName: 'web' });
  view.setPod('default', 'db-1', { uid: 'u3', nodeName: 'edge-2', serviceAccountName: 'db' });
  view.setPod('kube-system', 'proxy', { uid: 'u4', nodeName: 'edge-1', serviceAccountName: 'kube-proxy' });

  function refused(node: string, said: readonly string[] | undefined, message: RegExp): void {
    assert.throws(
      () => accountOf(view, node, said),
      (error: unknown) => {
        assert.ok(error instanceof AccessRefusal);
        assert.equal(error.status.code, 403);
        assert.equal(error.status.reason, 'Forbidden');
        assert.match(error.message, message);
        assert.match(error.message, /service accounts of pods that are bound to it/);
        return true;
      },
    );
  }

  it('is the account of a pod that is bound to it', () => {
    const web = { namespace: 'default', name: 'web', uid: '', pod: { name: 'web-1', uid: 'u1' } };
    assert.deepEqual(
      accountOf(view, 'edge-1', [encodeCaller(caller('web', { name: 'web-1', uid: 'u1' }))]),
      web,
    );
    assert.deepEqual(accountOf(view, 'edge-1', [encodeCaller(caller('web'))]), web);
    const proxy = { ...caller('x'), username: 'system:serviceaccount:kube-system:kube-proxy', uid: 'a-uid' };
    assert.deepEqual(accountOf(view, 'edge-1', [encodeCaller(proxy)]), {
      ...{ namespace: 'kube-system', name: 'kube-proxy', uid: 'a-uid' },
      pod: { name: 'proxy', uid: 'u4' },
    });
  });

  it('is none of another node', () => {
    refused('edge-1', [encodeCaller(caller('db'))], /no pod of it runs as default\/db/);
    refused(
      'edge-1',
      [encodeCaller(caller('web', { name: 'web-2', uid: 'u2' }))],
      /pod "default\/web-2" is not bound to it/,
    );
    refused('edge-3', [encodeCaller(caller('web'))], /node edge-3: no pod of it/);
  });

  it('is no account that its pod does not run as, and no pod that was', () => {
    refused(
      'edge-1',
      [encodeCaller(caller('db', { name: 'web-1', uid: 'u1' }))],
      /does not run as default\/db/,
    );
    refused('edge-1', [encodeCaller(caller('web', { name: 'web-1', uid: 'former' }))], /is not bound to it/);
    const elsewhere = { ...caller('web', { name: 'web-1', uid: 'u1' }), podNamespace: 'kube-system' };
    refused('edge-1', [encodeCaller(elsewhere)], /pod "kube-system\/web-1"/);
    const other = { ...caller('web', { name: 'proxy', uid: 'u4' }), podNamespace: 'kube-system' };
    refused('edge-1', [encodeCaller(other)], /pod "kube-system\/proxy"/);
  });

  it('is no user, no node, no group, and not the hub', () => {
    const names = [
      ...['admin', 'system:admin', 'system:node:edge-1', 'system:masters', 'system:anonymous', ''],
      ...[
        'system:serviceaccount:default',
        'system:serviceaccount:default:web:x',
        'system:serviceaccount::web',
      ],
      ...['system:serviceaccount:default:../web', 'system:serviceaccount:Default:web'],
    ];
    for (const username of names)
      refused('edge-1', [encodeCaller({ ...caller('web'), username })], /is no service account/);
  });

  it('is said once, and in words that can be read', () => {
    const good = encodeCaller(caller('web'));
    refused('edge-1', undefined, /does not say for whom it asks/);
    refused('edge-1', [], /does not say/);
    refused('edge-1', [good, good], /does not say/);
    const broken = ['', '{', 'null', '[]', '"x"', `{"username":"x"}`, 'x'.repeat(10_000)];
    for (const text of broken) refused('edge-1', [text], /does not say/);
    const half: StreamCaller = { ...caller('web'), podName: 'web-1' };
    refused('edge-1', [encodeCaller(half)], /does not say/);
    refused('edge-1', [`{"username":1,"uid":"","groups":[]}`], /does not say/);
    refused('edge-1', [`{"username":"a","uid":"","groups":[1]}`], /does not say/);
  });
});
