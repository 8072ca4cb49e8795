import assert from 'node:assert/strict';
import { KubeletFailure } from '../../src/kubelet/kubelet-failure.ts';
import { kubeletRoute } from '../../src/kubelet/kubelet-route.ts';

describe('kubeletRoute', () => {
  it('knows the paths of a kubelet', () => {
    const at = { namespace: 'ns', pod: 'p', uid: undefined };
    const cases: readonly [string, unknown][] = [
      ['/healthz', { kind: 'healthz' }],
      ['/pods', { kind: 'pods' }],
      ['/pods/', { kind: 'pods' }],
      ['/runningpods/', { kind: 'running-pods' }],
      ['/stats/summary', { kind: 'stats-summary' }],
      ['/metrics/resource', { kind: 'resource-metrics' }],
      ['/containerLogs/ns/p/c', { kind: 'container-logs', ...at, container: 'c' }],
      ['/exec/ns/p/c', { kind: 'exec', ...at, container: 'c' }],
      ['/exec/ns/p/u-1/c', { kind: 'exec', ...at, uid: 'u-1', container: 'c' }],
      ['/attach/ns/p/c', { kind: 'attach', ...at, container: 'c' }],
      ['/portForward/ns/p', { kind: 'port-forward', ...at }],
      ['/portForward/ns/p/u-1', { kind: 'port-forward', ...at, uid: 'u-1' }],
      ['/containerLogs/a%2Fb/p/c', { kind: 'container-logs', ...at, namespace: 'a/b', container: 'c' }],
    ];
    for (const [path, route] of cases) assert.deepEqual(kubeletRoute('GET', path), route, path);
  });

  it('knows no others', () => {
    for (const path of [
      ...['/', '', '/metrics', '/configz', '/logs/', '/run/ns/p/c', '/containerLogs/ns/p', '/exec/ns/p'],
      ...['/exec/ns/p/u/c/d', '/containerLogs//p/c', '/portForward/ns', '/pods/x', '/healthz/x'],
    ]) {
      assert.equal(kubeletRoute('GET', path), undefined, path);
    }
  });

  it('takes POST only where a kubelet does', () => {
    assert.equal(kubeletRoute('POST', '/exec/ns/p/c')?.kind, 'exec');
    assert.equal(kubeletRoute('POST', '/portForward/ns/p')?.kind, 'port-forward');
    assert.equal(kubeletRoute('POST', '/stats/summary')?.kind, 'stats-summary');
    for (const [method, path] of [
      ['POST', '/containerLogs/ns/p/c'],
      ['DELETE', '/exec/ns/p/c'],
      ['PUT', '/pods'],
    ] as const) {
      assert.throws(
        () => kubeletRoute(method, path),
        (error) => error instanceof KubeletFailure && error.status === 405,
      );
    }
  });

  it('refuses a path that cannot be decoded', () => {
    assert.throws(
      () => kubeletRoute('GET', '/exec/ns/%zz/c'),
      (error) => error instanceof KubeletFailure && error.status === 400,
    );
  });
});
