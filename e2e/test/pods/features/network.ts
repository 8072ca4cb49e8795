import assert from 'node:assert/strict';
import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { RESOURCES, type KubeObject } from '@hawser/kube';
import { eventually } from '@hawser/seams/testing';
import { shellPod } from '../../../src/pods-site/pods-site.ts';
import { pairs, type FeatureSite } from './feature-site.ts';
import { SERVES, shell, STAYS } from './shell.ts';

/** Address of a cluster's DNS: nobody asks it. */
export const CLUSTER_DNS = '192.0.2.53';
const KINDS = ['net', 'pid', 'ipc', 'uts', 'mnt'] as const;
const NAMESPACES = `for kind in ${KINDS.join(' ')}; do echo $kind=$(readlink /proc/self/ns/$kind); done`;

/** Names, look-ups of names, ports, namespaces. */
export function describeNetwork(site: () => FeatureSite): void {
  describe('network and namespaces', () => {
    before(() =>
      site().create(
        namesPod('names', {
          hostname: 'short',
          subdomain: 'sub',
          hostAliases: [
            { ip: '192.0.2.1', hostnames: ['a.test', 'b.test'] },
            { ip: '192.0.2.2', hostnames: ['c.test'] },
          ],
        }),
        namesPod('names-full', {
          subdomain: 'sub',
          setHostnameAsFQDN: true,
          dnsPolicy: 'None',
          dnsConfig: {
            nameservers: ['192.0.2.9'],
            searches: ['x.test', 'y.test'],
            options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }],
          },
        }),
        namesPod('names-default', { dnsPolicy: 'Default' }),
        namesPod('names-merged', {
          dnsConfig: { nameservers: ['192.0.2.9'], options: [{ name: 'ndots', value: '1' }] },
        }),
        namesPod('names-host', {
          hostNetwork: true,
          dnsPolicy: 'ClusterFirstWithHostNet',
          hostAliases: [{ ip: '192.0.2.1', hostnames: ['a.test'] }],
        }),
        namesPod('names-host-default', { hostNetwork: true }),
        shellPod('own', NAMESPACES, { spec: { restartPolicy: 'Never' } }),
        shellPod('host', NAMESPACES, {
          spec: { restartPolicy: 'Never', hostNetwork: true, hostPID: true, hostIPC: true },
        }),
        shellPod('shared', '', {
          spec: {
            shareProcessNamespace: true,
            containers: [shell('main', STAYS), shell('other', `exec sleep 4242`)],
          },
        }),
        shellPod('port', SERVES, {
          container: {
            ports: [{ containerPort: 8080, hostPort: 28_080 }],
          },
        }),
      ),
    );
    after(() =>
      site().forget(
        ...['names', 'names-full', 'names-default', 'names-merged', 'names-host', 'names-host-default'],
        ...['own', 'host', 'shared'],
      ),
    );

    it('gives a pod its name, aliases and the DNS of the cluster', async () => {
      const { name, hosts, resolv } = parts(await site().saidBy('names'));
      const { status } = await site().pod('names');
      assert.equal(name, 'short\n');
      assert.ok(
        hosts.endsWith(
          `${status?.podIP ?? ''}\tshort.sub.default.svc.cluster.local\tshort\n\n# Entries added by HostAliases.\n192.0.2.1\ta.test\tb.test\n192.0.2.2\tc.test\n`,
        ),
        hosts,
      );
      const lines = resolv.trim().split('\n');
      assert.match(lines[0] ?? '', /^search default\.svc\.cluster\.local svc\.cluster\.local cluster\.local/);
      assert.deepEqual(lines.slice(1), [`nameserver ${CLUSTER_DNS}`, 'options ndots:5']);
    });

    it('takes the full name for the hostname, and DNS from the pod alone', async () => {
      const { name, resolv } = parts(await site().saidBy('names-full'));
      assert.equal(name, 'names-full.sub.default.svc.cluster.local\n');
      assert.equal(resolv, 'search x.test y.test\nnameserver 192.0.2.9\noptions ndots:2 edns0\n');
    });

    it('looks names up as the host does, or as the cluster with more', async () => {
      const host = await readFile('/etc/resolv.conf', 'utf8');
      const servers = (text: string): string[] => text.match(/^nameserver .*$/gm) ?? [];
      const { resolv } = parts(await site().saidBy('names-default'));
      // On a machine that asks itself pods are given other servers than itself.
      if (!/^nameserver (127\.|::1)/m.test(host))
        assert.deepEqual(servers(resolv), servers(host).slice(0, 3));
      const merged = parts(await site().saidBy('names-merged')).resolv;
      assert.deepEqual(servers(merged), [`nameserver ${CLUSTER_DNS}`, 'nameserver 192.0.2.9']);
      assert.match(merged, /^options ndots:1$/m);
    });

    it('has the names of the host on its network', async () => {
      const { name, hosts, resolv } = parts(await site().saidBy('names-host'));
      assert.equal(name, `${hostname()}\n`);
      assert.equal(
        hosts,
        `# Kubernetes-managed hosts file (host network).\n${await readFile('/etc/hosts', 'utf8')}\n# Entries added by HostAliases.\n192.0.2.1\ta.test\n`,
      );
      assert.match(resolv, new RegExp(`^nameserver ${CLUSTER_DNS}$`, 'm'));
      const plain = parts(await site().saidBy('names-host-default'));
      assert.ok(!plain.resolv.includes(CLUSTER_DNS), plain.resolv);
    });

    it('has namespaces of its own, or those of the host that it asks for', async () => {
      const hosts = Object.fromEntries(
        await Promise.all(
          KINDS.map(async (kind) => [kind, await readlink(`/proc/self/ns/${kind}`)] as const),
        ),
      ) as Readonly<Record<string, string>>;
      const own = pairs(await site().saidBy('own'));
      for (const kind of KINDS) assert.notEqual(own[kind], hosts[kind], kind);
      const host = pairs(await site().saidBy('host'));
      for (const kind of ['net', 'pid', 'ipc', 'uts'] as const) assert.equal(host[kind], hosts[kind], kind);
      assert.notEqual(host['mnt'], hosts['mnt']);
    });

    it('shares processes where it is to', async () => {
      await site().untilReady('shared');
      const [main, other] = await Promise.all([
        site().exec('shared', 'readlink /proc/self/ns/pid'),
        site().exec('shared', 'readlink /proc/self/ns/pid', 'other'),
      ]);
      assert.equal(main, other);
      assert.match(await site().exec('shared', 'cat /proc/1/cmdline'), /^\/pause/);
      const seen = await site().exec('shared', 'cat /proc/[0-9]*/cmdline | tr "\\0" " "');
      assert.match(seen, /sleep 4242/);
    });

    it('answers at a port of the host, no more once it is deleted', async function () {
      const { portMappings } = await site().availability();
      if (!portMappings) this.skip(); // no iptables here
      await site().untilReady('port');
      const url = `http://${await site().hostAddress()}:28080/`;
      const answer = async (): Promise<string> => {
        try {
          return await (await fetch(url, { signal: AbortSignal.timeout(1_000) })).text();
        } catch {
          return 'nobody';
        }
      };
      await eventually('it answers', async () => (await answer()) === 'hawser\n', { deadlineMs: 10_000 });
      await site().remove('port');
      assert.equal(await answer(), 'nobody');
    });

    it('can be reached at the address that its status has', async () => {
      await site().create(shellPod('web', SERVES));
      const { status } = await site().untilReady('web');
      const [ip] = status?.podIPs ?? [];
      assert.equal(ip?.ip, status?.podIP);
      const url = `http://${status?.podIP ?? ''}:8080/`;
      await eventually('it listens', () =>
        fetch(url).then(
          () => true,
          () => false,
        ),
      );
      assert.equal(await (await fetch(url)).text(), 'hawser\n');
      await site().pods.cluster.objects.remove(RESOURCES.pods, ['web']);
    });
  });
}

function namesPod(name: string, spec: object): KubeObject {
  const show = 'hostname; echo ---; cat /etc/hosts; echo ---; cat /etc/resolv.conf';
  return shellPod(name, show, { spec: { restartPolicy: 'Never', ...spec } });
}

function parts(text: string): { readonly name: string; readonly hosts: string; readonly resolv: string } {
  const [name = '', hosts = '', resolv = ''] = text.split('---\n');
  return { name, hosts, resolv };
}
