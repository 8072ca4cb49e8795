import assert from 'node:assert/strict';
import { endpointSlices, endpointSubsets, type Service } from '../../src/controllers/endpoints-plan.ts';
import { pod, readyPod, T0, type PodOptions } from '../objects.ts';
import type { Pod } from '../../src/api/pod.ts';

const service = (spec: Partial<Service['spec']> = {}): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'default', uid: 'uid-svc' },
  spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 'http' }], ...spec },
});
const serving = (name: string, ip: string, containerPort: number, more: PodOptions = {}): Pod =>
  readyPod(name, 'n1', {
    ...more,
    spec: { containers: [{ name: 'c', ports: [{ name: 'http', containerPort }] }], ...more.spec },
    status: {
      phase: 'Running',
      podIP: ip,
      conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: T0 }],
      ...more.status,
    },
  });
const slices = (subject: Service, pods: readonly Pod[]): unknown[][] =>
  endpointSlices(subject, pods, (node) => `zone-of-${node}`).map((slice) => [
    slice['addressType'],
    (slice['ports'] as { port: number }[]).map(({ port }) => port),
    (slice['endpoints'] as { addresses: string[]; conditions: Record<string, boolean> }[]).map(
      ({ addresses, conditions }) => [addresses[0], ...Object.values(conditions)],
    ),
  ]);

describe('Endpoints: plan', () => {
  const unready = { conditions: [{ type: 'Ready', status: 'False' }] };
  const pods = [
    serving('a', '10.0.0.1', 8080),
    serving('b', '10.0.0.2', 8080, { status: unready }),
    serving('c', '10.0.0.3', 9090),
    serving('d', '10.0.0.4', 8080, { metadata: { deletionTimestamp: T0 } }),
    serving('e', 'fd00::1', 8080),
    serving('f', '', 8080),
    serving('g', '10.0.0.7', 8080, { status: { phase: 'Failed' } }),
    readyPod('h', 'n1', { status: { podIP: '10.0.0.8' } }), // has no such port
    pod('i'),
  ];

  it('groups pods by their ports and family, and says how each is', () => {
    assert.deepEqual(slices(service(), pods), [
      [
        'IPv4',
        [8080],
        [
          ['10.0.0.1', true, true, false],
          ['10.0.0.2', false, false, false],
          ['10.0.0.4', false, true, true],
        ],
      ],
      ['IPv4', [9090], [['10.0.0.3', true, true, false]]],
      ['IPv6', [8080], [['fd00::1', true, true, false]]],
    ]);
  });

  it('publishes pods that are not ready where that is wished', () => {
    const [first] = slices(service({ publishNotReadyAddresses: true }), [pods[1] ?? pod('x')]);
    assert.deepEqual(first?.[2], [['10.0.0.2', true, false, false]]);
  });

  it('names node, zone, pod and owner', () => {
    const [slice] = endpointSlices(service(), [serving('a', '10.0.0.1', 1)], () => 'z');
    const [endpoint] = slice?.['endpoints'] as Record<string, unknown>[];
    assert.deepEqual([endpoint?.['nodeName'], endpoint?.['zone']], ['n1', 'z']);
    assert.deepEqual(endpoint?.['targetRef'], { kind: 'Pod', name: 'a', namespace: 'default', uid: 'uid-a' });
    assert.equal(slice?.metadata.ownerReferences?.[0]?.uid, 'uid-svc');
  });

  it('splits what is too much for one slice, and keeps names while the ports stay', () => {
    const many = Array.from({ length: 205 }, (_, i) =>
      serving(`p${String(i).padStart(3, '0')}`, `10.1.${Math.floor(i / 200)}.${i % 200}`, 1),
    );
    const made = endpointSlices(service(), many, () => undefined);
    assert.deepEqual(
      made.map((slice) => (slice['endpoints'] as unknown[]).length),
      [100, 100, 5],
    );
    const fewer = endpointSlices(service(), many.slice(0, 50), () => undefined);
    assert.equal(fewer[0]?.metadata.name, made[0]?.metadata.name);
    assert.equal(new Set(made.map(({ metadata }) => metadata.name)).size, 3);
  });

  it('makes Endpoints without pods that are going', () => {
    const target = (name: string): object => ({
      kind: 'Pod',
      name,
      namespace: 'default',
      uid: `uid-${name}`,
    });
    const [first] = endpointSubsets(service(), pods.slice(0, 4));
    assert.deepEqual(first, {
      addresses: [{ ip: '10.0.0.1', nodeName: 'n1', targetRef: target('a') }],
      notReadyAddresses: [{ ip: '10.0.0.2', nodeName: 'n1', targetRef: target('b') }],
      ports: [{ port: 8080, protocol: 'TCP' }],
    });
    assert.deepEqual(endpointSubsets(service({ ports: [] }), [pods[0] ?? pod('x')]), [
      { addresses: [{ ip: '10.0.0.1', nodeName: 'n1', targetRef: target('a') }] },
    ]);
  });
});
