import assert from 'node:assert/strict';
import { portRules, type ProxyService, type ProxySlice } from '../../src/proxy-consumer/proxy-objects.ts';
import { Ruleset } from '../../src/proxy-consumer/ruleset.ts';
import { runNft } from '../../src/proxy-consumer/nft.ts';
import { findExecutable } from '../../src/processes/executable.ts';

function service(spec: NonNullable<ProxyService['spec']>, name = 'web'): ProxyService {
  return { metadata: { namespace: 'default', name }, spec };
}

function slice(addresses: readonly string[], port: number, more: Partial<ProxySlice> = {}): ProxySlice {
  return {
    metadata: { namespace: 'default', name: 'web-a', labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv4',
    ports: [{ name: 'http', port, protocol: 'TCP' }],
    endpoints: addresses.map((address) => ({ addresses: [address] })),
    ...more,
  };
}

const WEB: NonNullable<ProxyService['spec']> = {
  clusterIP: '10.3.0.1',
  clusterIPs: ['10.3.0.1'],
  ports: [{ name: 'http', port: 80 }],
};

describe('the rules of a proxy', () => {
  it('have the backends that are ready, of the port of that name and the family', () => {
    const slices = [
      slice(['10.1.0.2', '10.1.0.1'], 8080),
      slice(['10.1.0.1'], 8080),
      slice(['10.1.0.9'], 9, { ports: [{ name: 'other', port: 9 }] }),
      slice(['fd00::1'], 8080, { addressType: 'IPv6' }),
      slice([], 8080, { endpoints: [{ addresses: ['10.1.0.8'], conditions: { ready: false } }] }),
    ];
    const [rules] = portRules(service(WEB), slices);
    assert.deepEqual(rules, {
      ...{ family: 'ip', name: 'default/web:http/tcp', clusterIp: '10.3.0.1', protocol: 'tcp', port: 80 },
      ...{ nodePort: 0, affinitySeconds: 0 },
      backends: [
        { address: '10.1.0.1', port: 8080 },
        { address: '10.1.0.2', port: 8080 },
      ],
    });
  });

  it('have those that end, where no other is left', () => {
    const ending = {
      addresses: ['10.1.0.8'],
      conditions: { ready: false, serving: true, terminating: true },
    };
    const endings = slice([], 8080, { endpoints: [ending] });
    assert.deepEqual(portRules(service(WEB), [endings])[0]?.backends, [{ address: '10.1.0.8', port: 8080 }]);
    const both = portRules(service(WEB), [endings, slice(['10.1.0.1'], 8080)]);
    assert.deepEqual(both[0]?.backends, [{ address: '10.1.0.1', port: 8080 }]);
  });

  it('are none for Services without an address', () => {
    assert.deepEqual(portRules(service({ ...WEB, clusterIP: 'None', clusterIPs: ['None'] }), []), []);
    assert.deepEqual(portRules(service({ type: 'ExternalName', clusterIP: '' }), []), []);
    assert.deepEqual(portRules(service({ ports: [{ port: 1 }] }), []), []);
  });

  it('are both families of one with two addresses', () => {
    const both = { ...WEB, clusterIPs: ['10.3.0.1', 'fd00:3::1'] };
    assert.deepEqual(
      portRules(service(both), [slice(['fd00::1'], 8080, { addressType: 'IPv6' })]).map(
        ({ family, backends }) => [family, backends.length],
      ),
      [
        ['ip', 0],
        ['ip6', 1],
      ],
    );
  });

  it('are made again for what has changed, and take away what is stale', () => {
    const ruleset = new Ruleset();
    ruleset.put('default/web', portRules(service(WEB), [slice(['10.1.0.1', '10.1.0.2'], 8080)]));
    ruleset.put('default/db', portRules(service({ ...WEB, clusterIPs: ['10.3.0.2'] }, 'db'), []));
    const first = ruleset.transaction();
    assert.equal(first, ruleset.whole());
    assert.match(
      first,
      /add element ip hawser-proxy service-ips \{ 10\.3\.0\.1 \. tcp \. 80 : goto svc-\w+ \}/,
    );
    assert.match(
      first,
      /add element ip hawser-proxy no-endpoints \{ 10\.3\.0\.2 \. tcp \. 80 : goto refuse \}/,
    );
    assert.equal(first.match(/dnat to/g)?.length, 2);
    assert.match(first, /numgen random mod 2/);
    ruleset.done(true);
    const made = ruleset.made;
    ruleset.put('default/web', portRules(service(WEB), [slice(['10.1.0.2'], 8080)]));
    const second = ruleset.transaction();
    assert.equal(ruleset.made, made + 1);
    assert.doesNotMatch(second, /delete table|10\.1\.0\.1:8080/);
    assert.equal(second.match(/^delete chain ip hawser-proxy ep-\w+$/gm)?.length, 1);
    assert.match(second, /10\.3\.0\.2 \. tcp \. 80 : goto refuse/);
    ruleset.done(false);
    assert.equal(ruleset.transaction(), ruleset.whole());
  });

  it('are ones that nft takes', async function () {
    if (findExecutable('nft') === undefined || process.getuid?.() !== 0) this.skip(); // it asks the kernel
    const ruleset = new Ruleset();
    const ports = [
      { name: 'http', port: 80, nodePort: 30_080 },
      { name: 'dns', protocol: 'UDP', port: 53, nodePort: 30_053 },
      { name: 'sctp', protocol: 'SCTP', port: 9 },
    ];
    const spec = { ...WEB, clusterIPs: ['10.3.0.1', 'fd00:3::1'], ports, sessionAffinity: 'ClientIP' };
    const named = ports.map(({ name, port, protocol = 'TCP' }) => ({ name, port: port + 8000, protocol }));
    const slices = [
      slice(['10.1.0.1', '10.1.0.2'], 0, { ports: named }),
      slice(['fd00::1', 'fd00::2'], 0, { ports: named, addressType: 'IPv6' }),
    ];
    ruleset.put('default/web', portRules(service(spec), slices));
    ruleset.put('default/none', portRules(service({ ...spec, clusterIPs: ['10.3.0.9'] }, 'none'), []));
    await runNft(ruleset.whole(), { check: true });
    await assert.rejects(runNft('add rule ip nowhere x y\n', { check: true }), /nft: exit 1/);
  });
});
