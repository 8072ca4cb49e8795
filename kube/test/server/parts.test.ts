import assert from 'node:assert/strict';
import { seededRandom } from '@hawser/seams';
import { csrSubject } from '../../src/server/auth/csr-subject.ts';
import { ServiceAllocator } from '../../src/server/builtin/service-allocator.ts';
import { JsonPath } from '../../src/server/crd/json-path.ts';
import { negotiate } from '../../src/server/http/negotiation.ts';
import { requestInfo } from '../../src/server/http/request-info.ts';
import { toYaml, Warnings } from '../../src/server/http/responder.ts';
import { compareVersions } from '../../src/server/registry/registry.ts';
import { decodeContinue, encodeContinue } from '../../src/server/rest/continue-token.ts';
import { humanDuration } from '../../src/server/table/duration.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';

const NO_QUERY = new URLSearchParams();

describe('server: request paths', () => {
  const read = (method: string, path: string, query = NO_QUERY): object => {
    const { verb, group, version, namespace, resource, name, subresource, tail } = requestInfo(
      method,
      path,
      query,
    );
    return { verb, group, version, namespace, resource, name, subresource, tail };
  };
  const none = { group: '', version: 'v1', namespace: '', resource: '', name: '', subresource: '', tail: '' };

  it('reads resources, namespaces and subresources', () => {
    for (const [method, path, expected] of [
      ['GET', '/api/v1/pods', { verb: 'list', resource: 'pods' }],
      ['GET', '/api/v1/namespaces/a/pods/b', { verb: 'get', namespace: 'a', resource: 'pods', name: 'b' }],
      [
        'PATCH',
        '/api/v1/namespaces/a/pods/b/status',
        { verb: 'patch', namespace: 'a', resource: 'pods', name: 'b', subresource: 'status' },
      ],
      [
        'GET',
        '/api/v1/namespaces/a/pods/b/proxy/x/y',
        { verb: 'get', namespace: 'a', resource: 'pods', name: 'b', subresource: 'proxy', tail: 'x/y' },
      ],
      ['GET', '/api/v1/namespaces/a', { verb: 'get', namespace: 'a', resource: 'namespaces', name: 'a' }],
      [
        'PUT',
        '/api/v1/namespaces/a/finalize',
        { verb: 'update', namespace: 'a', resource: 'namespaces', name: 'a', subresource: 'finalize' },
      ],
      ['GET', '/api/v1/namespaces', { verb: 'list', resource: 'namespaces' }],
      [
        'DELETE',
        '/apis/apps/v1/namespaces/a/deployments',
        { verb: 'deletecollection', group: 'apps', namespace: 'a', resource: 'deployments' },
      ],
      [
        'GET',
        '/api/v1/watch/namespaces/a/pods/b',
        { verb: 'watch', namespace: 'a', resource: 'pods', name: 'b' },
      ],
      ['GET', '/api/v1/watch/pods', { verb: 'watch', resource: 'pods' }],
    ] as const) {
      assert.deepEqual(read(method, path), { ...none, ...expected }, path);
    }
    assert.deepEqual(read('GET', '/api/v1/pods', new URLSearchParams('watch=1')), {
      ...none,
      verb: 'watch',
      resource: 'pods',
    });
    assert.equal(requestInfo('GET', '/apis/apps/v1', NO_QUERY).isResource, false);
    assert.equal(requestInfo('GET', '/healthz', NO_QUERY).isResource, false);
  });

  it('knows the one name that a selector asks for', () => {
    const query = new URLSearchParams({ fieldSelector: 'metadata.name=x,spec.y!=z' });
    assert.equal(requestInfo('GET', '/api/v1/secrets', query).selectedName, 'x');
  });
});

describe('server: content negotiation', () => {
  const choose = (accept: string | undefined): string => {
    const { mediaType, form, formVersion } = negotiate(accept, { pretty: null, userAgent: undefined });
    return `${mediaType} ${form} ${formVersion}`;
  };

  it('answers JSON to those who would rather have protobuf', () => {
    assert.equal(
      choose('application/vnd.kubernetes.protobuf,application/json'),
      'application/json Object v1',
    );
    assert.equal(choose('application/vnd.kubernetes.protobuf, */*'), 'application/json Object v1');
    assert.equal(choose(undefined), 'application/json Object v1');
  });

  it('takes the first form that it knows, by quality', () => {
    const table = 'application/json;as=Table;v=v1;g=meta.k8s.io';
    assert.equal(choose(`${table},application/json`), 'application/json Table v1');
    assert.equal(choose(`${table};q=0.5,application/json`), 'application/json Object v1');
    assert.equal(
      choose('application/json;as=Table;g=meta.k8s.io;v=v9,application/yaml'),
      'application/yaml Object v1',
    );
    assert.equal(choose('application/json;q=0,application/yaml'), 'application/yaml Object v1');
  });

  it('refuses what it cannot make', () => {
    assert.throws(() => choose('text/html'), /406: Not Acceptable/);
    assert.throws(() => choose('application/json;as=Table;v=v1;g=other'), /only the following media types/);
  });
});

describe('server: small parts', () => {
  it('reads back the continue tokens that it writes', () => {
    for (const after of ['a', 'ns/name', 'x.y-z']) {
      const token = encodeContinue({ resourceVersion: 42, after });
      assert.deepEqual(decodeContinue(token), { resourceVersion: 42, after });
    }
  });

  it('shows durations as kubectl users know them', () => {
    const second = 1000;
    const hour = 3600 * second;
    for (const [ms, text] of [
      [-5 * second, '<invalid>'],
      [0, '0s'],
      [119 * second, '119s'],
      [120 * second, '2m'],
      [200 * second, '3m20s'],
      [179 * 60 * second, '179m'],
      [4 * hour, '4h'],
      [7 * hour + 60 * second, '7h1m'],
      [47 * hour, '47h'],
      [50 * hour, '2d2h'],
      [24 * 100 * hour, '100d'],
      [24 * 800 * hour, '2y70d'],
      [24 * 365 * 9 * hour, '9y'],
    ] as const) {
      assert.equal(humanDuration(ms), text);
    }
  });

  it('orders versions of an API: GA, beta, alpha, then by number, then the rest by name', () => {
    const sorted = [
      'v10',
      'v2',
      'v1',
      'v11beta2',
      'v10beta3',
      'v3beta1',
      'v12alpha1',
      'v11alpha2',
      'foo1',
      'foo10',
    ];
    assert.deepEqual([...sorted].reverse().sort(compareVersions), sorted);
  });

  it('follows JSONPaths of printer columns', () => {
    const object = {
      spec: { size: 3, list: [{ name: 'a' }, { name: 'b' }], 'odd.key': 1 },
      status: {
        conditions: [
          { type: 'Ready', status: 'True' },
          { type: 'Other', status: 'False' },
        ],
      },
    };
    for (const [path, expected] of [
      ['.spec.size', [3]],
      ['{.spec.size}', [3]],
      ['.spec.list[1].name', ['b']],
      ['.spec.list[-1].name', ['b']],
      ['.spec.list[*].name', ['a', 'b']],
      ['.status.conditions[?(@.type=="Ready")].status', ['True']],
      [".status.conditions[?(@.type!='Ready')].status", ['False']],
      ['.spec.odd\\.key', [1]],
      [".spec['odd.key']", [1]],
      ['.nothing.here', []],
    ] as const) {
      assert.deepEqual(new JsonPath(path).find(object), expected, path);
    }
    for (const path of ['.spec..size', '.spec[', '.spec[?(size)]', 'spec.size']) {
      assert.throws(() => new JsonPath(path), SyntaxError, path);
    }
  });

  it('writes warnings as one quoted string, each once', () => {
    const warnings = new Warnings();
    warnings.add('unknown field "a\\b"');
    warnings.add('unknown field "a\\b"');
    warnings.add('line\r\nX-Evil: 1');
    assert.deepEqual(warnings.headers(), ['299 - "unknown field \\"a\\\\b\\""', '299 - "line X-Evil: 1"']);
  });

  it('writes YAML that reads back as the same strings', () => {
    const text = toYaml({ b: 'yes', a: ['1', 'null', '2026-01-01T00:00:00Z', 'plain'], c: 1 });
    assert.equal(text, 'a:\n- "1"\n- "null"\n- "2026-01-01T00:00:00Z"\n- plain\nb: "yes"\nc: 1\n');
  });

  it('reads nothing out of what is no signing request', () => {
    for (const pem of [
      '',
      'x',
      '-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----',
    ]) {
      assert.equal(csrSubject(pem), undefined);
    }
  });

  it('gives out every address of a small range, and then none', () => {
    const store = new MemoryStore();
    const allocator = new ServiceAllocator(seededRandom(1), {
      clusterCidr: '10.0.0.0/29',
      nodePorts: [30_000, 30_002],
    });
    const ips = Array.from({ length: 6 }, () => allocator.freeIp(store));
    assert.equal(new Set(ips).size, 6);
    assert.ok(ips.every((ip) => ip !== undefined && allocator.inRange(ip)));
    assert.equal(allocator.freeIp(store), undefined);
    allocator.settle({ clusterIPs: [ips[0]] });
    assert.equal(allocator.freeIp(store), ips[0]);
    assert.equal(new Set(Array.from({ length: 3 }, () => allocator.freePort(store))).size, 3);
    assert.equal(allocator.freePort(store), undefined);
    for (const ip of ['10.0.0.0', '10.0.0.7', '10.0.0.8', '9.255.255.255', 'x', '']) {
      assert.equal(allocator.inRange(ip), false, ip);
    }
  });
});
