import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { TEST_IMAGES } from '@hawser/edgecore/testing';
import { shellPod } from '../../../src/pods-site/pods-site.ts';
import { containerOf, pairs, type FeatureSite } from './feature-site.ts';
import { shell } from './shell.ts';

/** Users and groups, and what the kernel says of a process. */
const FACTS = `echo user=$(id -u) group=$(id -g) groups=$(id -G) | tr ' ' '\\n' | grep -v '^[0-9]*$'
  echo groups=$(id -G)
  sed -n 's/^\\(CapBnd\\|CapEff\\|NoNewPrivs\\|Seccomp\\):[[:space:]]*/\\1=/p' /proc/self/status
  touch /written 2>/dev/null && echo root=writable || echo root=closed
  mkdir /tmp/made 2>/dev/null && echo mkdir=works || echo mkdir=fails
  echo masked=$(grep -c ' /proc/' /proc/mounts)
  echo devices=$(ls /dev | wc -l)`;
const NET_BIND_SERVICE = '0000000000000400';
/** Capabilities that a container has if it asks for nothing. Source: containerd, oci.WithDefaultSpec. */
const DEFAULTS = '00000000a80425fb';
const RESTRICTED = {
  runAsUser: 1001,
  runAsGroup: 1002,
  readOnlyRootFilesystem: true,
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] },
  seccompProfile: { type: 'RuntimeDefault' },
};

/** Security contexts. */
export function describeSecurity(site: () => FeatureSite, seccompRoot: () => string): void {
  describe('security contexts', () => {
    before(async () => {
      await mkdir(path.join(seccompRoot(), 'profiles'), { recursive: true });
      await writeFile(
        path.join(seccompRoot(), 'profiles/no-mkdir.json'),
        JSON.stringify({
          defaultAction: 'SCMP_ACT_ALLOW',
          syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO' }],
        }),
      );
      const once = { restartPolicy: 'Never' };
      const secured = (name: string, securityContext: object, more: object = {}): object =>
        shell(name, FACTS, { securityContext, ...more });
      await site().create(
        shellPod('secured', '', {
          spec: {
            ...once,
            securityContext: { runAsUser: 1000, runAsGroup: 3000, fsGroup: 2000, supplementalGroups: [4000] },
            volumes: [{ name: 'data', emptyDir: {} }],
            containers: [
              shell(
                'main',
                `${FACTS}; touch /data/file; stat -c 'folder=%u:%g:%a' /data; stat -c 'file=%u:%g' /data/file`,
                {
                  volumeMounts: [{ name: 'data', mountPath: '/data' }],
                },
              ),
              secured('restricted', RESTRICTED),
            ],
          },
        }),
        shellPod('unsecured', '', {
          spec: {
            ...once,
            containers: [
              shell('main', FACTS),
              secured('privileged', { privileged: true }),
              secured('added', { capabilities: { add: ['SYS_TIME'], drop: ['MKNOD', 'CHOWN'] } }),
              secured('local', {
                seccompProfile: { type: 'Localhost', localhostProfile: 'profiles/no-mkdir.json' },
              }),
              secured('unconfined', { seccompProfile: { type: 'Unconfined' } }),
              secured('unmasked', { procMount: 'Unmasked' }),
              secured('image', {}, { image: TEST_IMAGES.asApp }),
              secured('group', { runAsGroup: 3000 }),
              secured('number', { runAsNonRoot: true }, { image: TEST_IMAGES.as1000 }),
            ],
          },
        }),
        shellPod('must-not-be-root', FACTS, {
          spec: { ...once, securityContext: { runAsNonRoot: true } },
        }),
        shellPod('might-be-root', FACTS, {
          spec: { ...once, securityContext: { runAsNonRoot: true } },
          container: { image: TEST_IMAGES.asApp },
        }),
        shellPod('sysctl', 'cat /proc/sys/net/ipv4/ip_unprivileged_port_start', {
          spec: {
            ...once,
            securityContext: { sysctls: [{ name: 'net.ipv4.ip_unprivileged_port_start', value: '80' }] },
          },
        }),
      );
    });
    after(() => site().forget('secured', 'unsecured', 'must-not-be-root', 'might-be-root', 'sysctl'));

    async function facts(pod: string, container = 'main'): Promise<Readonly<Record<string, string>>> {
      return pairs(await site().saidBy(pod, container));
    }

    it('runs as the user and the groups of the pod, who own its volumes', async () => {
      const { user, group, groups, folder, file } = await facts('secured');
      assert.deepEqual([user, group], ['1000', '3000']);
      assert.deepEqual(groups?.split(' ').sort(), ['2000', '3000', '4000']);
      assert.deepEqual([folder, file], ['0:2000:2777', '1000:2000']);
    });

    it('holds a container to what it asks for', async () => {
      const said = await facts('secured', 'restricted');
      const { user, group, CapBnd, CapEff, NoNewPrivs, Seccomp, root } = said;
      assert.deepEqual(
        { user, group, CapBnd, CapEff, NoNewPrivs, Seccomp, root },
        {
          ...{ user: '1001', group: '1002', CapBnd: NET_BIND_SERVICE, CapEff: '0000000000000000' },
          ...{ NoNewPrivs: '1', Seccomp: '2', root: 'closed' },
        },
      );
    });

    it('gives what the runtime gives by default, and no seccomp profile', async () => {
      const {
        user,
        CapBnd,
        CapEff,
        NoNewPrivs,
        Seccomp,
        root,
        masked,
        mkdir: made,
      } = await facts('unsecured');
      assert.deepEqual(
        { user, CapBnd, CapEff, NoNewPrivs, Seccomp, root, made },
        {
          ...{ user: '0', CapBnd: DEFAULTS, CapEff: DEFAULTS, NoNewPrivs: '0', Seccomp: '0' },
          ...{ root: 'writable', made: 'works' },
        },
      );
      assert.ok(Number(masked) > 0, masked);
    });

    it('adds and drops capabilities, all of them for privileged ones', async () => {
      const { CapEff: some } = await facts('unsecured', 'added');
      const mask = (BigInt(`0x${DEFAULTS}`) | (1n << 25n)) & ~(1n << 27n) & ~1n; // SYS_TIME, MKNOD, CHOWN
      assert.equal(BigInt(`0x${some ?? ''}`), mask);
      const { CapEff: all, devices } = await facts('unsecured', 'privileged');
      const own = /^CapEff:\s*(\S+)$/m.exec(await readFile('/proc/self/status', 'utf8'))?.[1];
      assert.equal(all, own);
      const { devices: few } = await facts('unsecured');
      assert.ok(Number(devices) > Number(few), `${devices} devices, ${few} without privileges`);
    });

    it('applies seccomp profiles', async () => {
      const { Seccomp, mkdir: made } = await facts('unsecured', 'local');
      assert.deepEqual([Seccomp, made], ['2', 'fails']);
      const { Seccomp: none } = await facts('unsecured', 'unconfined');
      assert.equal(none, '0');
    });

    it('shows all of /proc where it is to', async () => {
      assert.equal((await facts('unsecured', 'unmasked'))['masked'], '0');
    });

    it('runs as the user of the image if nobody says another one', async () => {
      const { user, group } = await facts('unsecured', 'group');
      assert.deepEqual([user, group], ['0', '3000']);
      assert.equal((await facts('unsecured', 'image'))['user'], '1000');
      assert.equal((await facts('unsecured', 'number'))['user'], '1000');
    });

    it('does not start as root what must not be root', async () => {
      const waiting = async (name: string): Promise<unknown> => {
        const reason = 'CreateContainerConfigError';
        const pod = await site().until(
          name,
          (one) => containerOf(one)?.state?.['waiting']?.['reason'] === reason,
        );
        return containerOf(pod)?.state?.['waiting']?.['message'];
      };
      assert.match(
        String(await waiting('must-not-be-root')),
        /^container has runAsNonRoot and image will run as root/,
      );
      assert.match(
        String(await waiting('might-be-root')),
        /^container has runAsNonRoot and image has non-numeric user \(app\), cannot verify user is non-root/,
      );
    });

    it('sets the parameters of the kernel that are the pod’s own', async () => {
      assert.equal(await site().saidBy('sysctl'), '80\n');
    });
  });
}
