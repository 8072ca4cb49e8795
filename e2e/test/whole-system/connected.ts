import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { configMap } from '../../src/cluster-site/site-objects.ts';
import { POOL } from '../../src/pool-site/pool-cluster.ts';
import { untilSeen } from '../../src/whole-site/until-seen.ts';
import {
  APP,
  APP_REPLICAS,
  nodePool,
  READER,
  readerAccount,
  SETTINGS,
  SHELF,
  SHELF_REPLICAS,
  tank,
  workload,
} from '../../src/whole-site/whole-objects.ts';
import type { WholeSite } from '../../src/whole-site/whole-site.ts';
import type { Steps } from './steps.ts';
import {
  device,
  filesInContainers,
  idsInApi,
  idsInRuntime,
  nameOf,
  podsOf,
  setDesired,
  turn,
  untilEndpoints,
  untilPodsReady,
  untilRegister,
  untilReported,
} from './views.ts';

/** A row of `hawser node list`. */
interface ListedNode {
  readonly name: string;
  readonly ready?: string;
  readonly pool?: string;
}

/** From an empty cluster to a pool of nodes that does everything: what works with a cloud. */
export function describeConnected(steps: Steps, transport: string): void {
  steps.step('nodes join with tokens, each good once', async (site) => {
    await site.apply(nodePool(), ...readerAccount());
    const printed = await Promise.all(site.members.map((member) => site.join(member)));
    await isRefused(site, printed[0] ?? '');
    for (const { name, edge } of site.members) {
      const { session } = await edge.untilInSync(60_000);
      assert.equal(session.current?.transport, transport, `${name} came by another way`);
    }
    for (const member of site.members)
      await untilSeen(
        `${member.name} is healthy`,
        () => member.hawser(['status']),
        ({ code }) => code === 0,
      );
    await site.kubectl.ok(['wait', 'nodes', '--all', '--for', 'condition=Ready', '--timeout', '60s'], {
      deadlineMs: 70_000,
    });
    const nodes = await site.hawser.json<readonly ListedNode[]>(['node', 'list', '--output', 'json']);
    assert.deepEqual(
      nodes.map(({ name, ready, pool }) => [name, ready, pool]),
      site.members.map(({ name }) => [name, 'True', POOL]),
    );
  });

  steps.step('a Deployment runs; kubectl logs and exec reach into its containers', async (site) => {
    await site.apply(configMap(SETTINGS, 'first'), ...workload());
    const pods = await untilPodsReady(site, APP, APP_REPLICAS);
    await untilPodsReady(site, SHELF, SHELF_REPLICAS);
    assert.deepEqual(idsInApi(pods), await idsInRuntime(site), 'the API names other containers');
    for (const pod of pods) {
      assert.equal(pod.spec.nodeName, site.kitchen.name);
      assert.equal(await site.kubectl.ok(['logs', nameOf(pod)]), 'begun with first\n');
      const hostname = await site.kubectl.ok(['exec', nameOf(pod), '--', 'hostname']);
      assert.equal(hostname.trim(), nameOf(pod));
    }
    const failed = await site.kubectl.run(['exec', nameOf(first(pods)), '--', 'sh', '-c', 'exit 42']);
    assert.equal(failed.code, 42);
  });

  steps.step('a ConfigMap changes in the files of running containers', async (site) => {
    const before = await idsInRuntime(site);
    await site.apply(configMap(SETTINGS, 'second'));
    await untilSeen(
      'the files have changed',
      () => filesInContainers(site),
      (files) => files.length === APP_REPLICAS && files.every((text) => text === 'second'),
    );
    const pods = await podsOf(site, APP);
    const read = await site.kubectl.ok(['exec', nameOf(first(pods)), '--', 'cat', '/settings/text']);
    assert.equal(read, 'second');
    assert.deepEqual(await idsInRuntime(site), before, 'a container was restarted');
    for (const { status } of pods) assert.equal(status?.containerStatuses?.[0]?.restartCount, 0);
  });

  steps.step('values of a device come up, and what is wanted of it goes down', async (site) => {
    await turn(site, 'level', 500);
    await site.apply(...tank(site.kitchen.name, site.peer.port));
    await untilReported(site, 'level', '500');
    await untilRegister(site, 'speed', 10);
    await turn(site, 'level', 501);
    await untilReported(site, 'level', '501');
    await setDesired(site, '20');
    await untilRegister(site, 'speed', 20);
    await untilReported(site, 'speed', '20');
    const { state } = (await device(site)).status ?? {};
    assert.match(state ?? '', /^(ok|online)$/);
  });

  steps.step('the pool shows its Service at the local API of each member', async (site) => {
    await site.untilLed();
    const token = await site.token('default', READER);
    for (const member of site.members) await member.openLocalApi(token);
    const addresses = (await podsOf(site, APP)).map(({ status }) => status?.podIP ?? '').toSorted();
    await untilEndpoints(site, site.members, addresses);
    const { spec } = await site.get<{ readonly spec: object }>('service', APP);
    for (const member of site.members) {
      const local = await member.localGet<{ readonly spec: object }>(['service', APP]);
      assert.deepEqual(local.spec, spec, `${member.name} shows another Service`);
    }
  });
}

/** Another machine says a join command once more. */
async function isRefused(site: WholeSite, printed: string): Promise<void> {
  const dir = path.join(site.cluster.dir, 'other-machine');
  await mkdir(dir);
  const [, ...args] = printed.trim().split(' ');
  const places = ['--config-dir', dir, '--data-dir', path.join(dir, 'data'), '--socket', path.join(dir, 's')];
  const { code, stderr } = await site.hawser.run([...args, ...places]);
  assert.equal(code, 1, stderr);
  assert.match(stderr, /ERR_/, stderr);
}

function first<T>(items: readonly T[]): T {
  const [one] = items;
  assert.ok(one !== undefined);
  return one;
}
