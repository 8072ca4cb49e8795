import assert from 'node:assert/strict';
import { checkConfig } from '../../src/config/check-config.ts';

describe('options of pods', () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['clusterDns', '""', true],
    ['clusterDns', '"10.96.0.10"', true],
    ['clusterDns', '"10.96.0.10,fd00::a"', true],
    ['clusterDns', '"::1"', true],
    ['clusterDns', '"10.96.0"', false],
    ['clusterDns', '"10.96.0.256"', false],
    ['clusterDns', '"10.96.0.10, 10.96.0.11"', false],
    ['clusterDns', '"dns.example"', false],
    ['clusterDomain', 'cluster.local', true],
    ['clusterDomain', '"cluster.local."', false],
    ['cgroupRoot', '""', true],
    ['cgroupRoot', '/edge/pods', true],
    ['cgroupRoot', '/', false],
    ['cgroupRoot', '/edge/', false],
    ['cgroupRoot', '/edge/../x', false],
    ['cgroupRoot', 'edge', false],
    ['cgroupDriver', 'systemd', false],
    ['seccompDefault', 'RuntimeDefault', true],
    ['runtimeClasses', '{ kata: kata-qemu }', true],
  ];
  for (const [name, value, isGood] of cases) {
    it(`${isGood ? 'takes' : 'refuses'} ${name}: ${value}`, () => {
      const checked = checkConfig({ yaml: `pods: { ${name}: ${value} }`, overrides: {} });
      assert.equal('config' in checked, isGood, JSON.stringify(checked));
      if ('problems' in checked) {
        assert.equal(checked.problems.length, 1);
        assert.ok(checked.problems[0]?.startsWith(`pods.${name}: `), checked.problems[0]);
      }
    });
  }
});
