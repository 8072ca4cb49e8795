import assert from 'node:assert/strict';
import { RESOURCES } from '@hawser/kube';
import { eventually, makeTempDir, soaking, type TempDir } from '@hawser/seams/testing';
import { ClusterSite } from '../../src/cluster-site/cluster-site.ts';
import { boundPod } from '../../src/cluster-site/site-objects.ts';
import { machineUnavailable } from '../../src/machine/availability.ts';
import { SystemdMachine } from '../../src/machine/systemd-machine.ts';
import { netnsAvailable } from '../../src/netns/availability.ts';
import { createNetnsPair, type NetnsPair } from '../../src/netns/netns-pair.ts';
import { findExecutable } from '../../src/processes/executable.ts';
import { EdgeMachine } from './edge-machine.ts';
import { asVersion, buildPackage, type EdgePackage } from './edge-package.ts';

const NODE = 'edge-1';
const PODS = 10;
const CONFIG = '/etc/hawser/edgecore.yaml';
const DEFAULTS = '/etc/default/edgecore';
const EXAMPLES = '/usr/share/doc/hawser-edgecore/examples';
/** Pods that really run, and need no more than what is on every machine: processes. */
const PROCESSES = {
  pods: {
    runtime: 'process',
    runtimeOptions: { images: { 'registry.test/app:1': { command: ['/bin/sleep', '3600'] } } },
  },
};
const STATE = '/var/lib/hawser';
const CERTIFICATE = `${STATE}/edge/pki/node.pem`;

/** Bars: start of a node that has joined until it is connected; its memory with ten pods; the file to install. */
const START_LIMIT_MS = 2000;
const RESIDENT_LIMIT_MIB = 75;
const PACKAGE_LIMIT_BYTES = 45 * 2 ** 20;

/** What cannot be done here; undefined: all can. */
async function missing(): Promise<string | undefined> {
  const commands = ['dpkg', 'dpkg-deb', 'strip'].filter((name) => findExecutable(name) === undefined);
  if (commands.length > 0) return `needs ${commands.join(', ')}`;
  const netns = await netnsAvailable();
  return machineUnavailable() ?? (netns.ok ? undefined : netns.reason);
}

// One life of a machine, from the installation to the purge: each step goes on from the one before.
describe('the package for Debian, on a machine with systemd', function () {
  this.timeout(90_000);
  let temp: TempDir | undefined;
  let network: NetnsPair | undefined;
  let site: ClusterSite;
  let computer: SystemdMachine | undefined;
  let built: EdgePackage;
  let edge: EdgeMachine;

  before(async function () {
    const reason = await missing();
    if (reason !== undefined) {
      console.log(`      skipped: ${reason}`);
      this.skip();
    }
    temp = await makeTempDir('hwp-');
    network = await createNetnsPair();
    const building = buildPackage(temp.path, ...(soaking ? [] : ['--fast']));
    building.catch(() => {}); // heard below
    site = await ClusterSite.open({ netns: network });
    const without = ['/etc/hawser', STATE];
    computer = await SystemdMachine.create({ network: network.edge.namespace.name, without });
    await computer.boot();
    edge = new EdgeMachine(computer);
    built = await building;
  });
  after(async () => {
    await computer?.close();
    if (temp !== undefined) await site.close();
    await network?.close();
    await temp?.remove();
  });

  /** A process of edgecore that is not the one before. @returns its id */
  async function another(pid: number): Promise<number> {
    const { process } = await edge.untilConnected(pid);
    assert.equal(await edge.property('ActiveState'), 'active');
    return process.pid;
  }

  /** Changes a setting of the unit, as an administrator does. */
  const override = async (line: string): Promise<void> => {
    const folder = '/etc/systemd/system/edgecore.service.d';
    await edge.shell(`mkdir -p ${folder} && printf '[Service]\n${line}\n' > ${folder}/override.conf`);
    await edge.shell('systemctl daemon-reload');
  };
  /** Milliseconds from the command to the session. */
  const startMs = async (): Promise<number> => {
    const startedMs = performance.now();
    await edge.shell('systemctl start edgecore'); // ends when it is ready: Type=notify
    await edge.untilConnected();
    return performance.now() - startedMs;
  };
  const certificate = (): Promise<string> => edge.shell(`cat ${CERTIFICATE}`);
  /** Processes of pods, the oldest first. */
  const containers = async (): Promise<readonly string[]> =>
    (await edge.shell('pgrep --exact sleep || true')).split('\n').filter(Boolean);
  const mappers = async (): Promise<readonly string[]> =>
    (await edge.shell('pgrep --full ^/usr/lib/hawser/node.*mappers/virtual || true'))
      .split('\n')
      .filter(Boolean);
  const pid = async (): Promise<number> => Number(await edge.property('MainPID'));

  it('is installed, and starts nothing on a machine that has not joined', async () => {
    const said = await edge.install(built.file);
    assert.match(said, /has not joined a cluster yet: hawser join/);
    // It ends with 0 whatever it finds: what counts is that it finds nothing.
    assert.equal(await edge.shell('systemd-analyze verify edgecore.service'), '');
    assert.equal(await edge.property('UnitFileState'), 'disabled');
    // Not every machine lets a score be lowered to that of the unit; every one lets it be raised, as below.
    assert.equal(await edge.property('OOMScoreAdjust'), '-900');
    await override('OOMScoreAdjust=100');
    await edge.shell('systemctl start edgecore');
    assert.equal(await edge.property('ConditionResult'), 'no');
    assert.equal(await edge.property('ActiveState'), 'inactive');
    assert.match(await edge.shell('hawser status || true'), /has not joined|no identity/);
    const wrong = await edge.shell('cd / && dpkg --verify hawser-edgecore');
    assert.equal(wrong, '');
  });

  it('has programs and native code that run, with the Node.js of the package alone', async () => {
    for (const name of ['modbus', 'bluetooth', 'virtual']) {
      assert.match(await edge.shell(`hawser-mapper-${name} --help`), /Usage|--bus/);
    }
    assert.match(await edge.shell('edgecore --version'), /^\d+\.\d+\.\d+\n$/);
    const libraries = ['better-sqlite3', 'serialport', 'modbus-serial', 'dbus-next'];
    const quic = '@chainsafe/libp2p-quic-linux-${process.arch}-gnu';
    const load = `[...${JSON.stringify(libraries)}, \`${quic}\`].map((name) => typeof require(name)).join()`;
    const script = `cd /usr/lib/hawser && ./node --input-type=commonjs --print '${load}'`;
    assert.equal(await edge.shell(script), 'function,object,function,object,object\n');
  });

  it('makes of the machine a node, which is connected soon after it was started', async () => {
    await edge.shell(`echo '${JSON.stringify(PROCESSES)}' > ${CONFIG}`);
    const token = await site.token({ node: NODE });
    const { host, port } = site.address();
    const join = `hawser join --cloud ${host}:${port} --token ${token} --name ${NODE}`;
    assert.match(await edge.shell(`${join} --no-start`), /Start it: +systemctl enable --now edgecore/);
    assert.equal(await edge.property('ActiveState'), 'inactive');

    // What else the machine does meanwhile only adds to it: the best of three counts.
    let elapsedMs = await startMs();
    for (let more = 2; more > 0 && elapsedMs > START_LIMIT_MS; more -= 1) {
      await edge.shell('systemctl stop edgecore');
      elapsedMs = await startMs();
    }
    console.log(`      connected ${elapsedMs.toFixed(0)} ms after systemctl start`);
    assert.ok(elapsedMs <= START_LIMIT_MS, `${elapsedMs} ms`);
    await eventually('the cloud has its node', async () => {
      const nodes = await site.objects.list(RESOURCES.nodes);
      return nodes.some(({ metadata }) => metadata.name === NODE);
    });

    // Said again, it finds everything there; what is left to do is that it starts with the machine.
    const running = await pid();
    assert.match(await edge.shell(join), /nothing was changed.*starts with the machine/s);
    assert.equal(await edge.property('UnitFileState'), 'enabled');
    assert.equal(await pid(), running);
  });

  it('writes lines for people into the journal, with their levels', async () => {
    const lines = await edge.journal();
    const connected = lines.find(({ text }) => /^connected|session/.test(text));
    assert.equal(connected?.level, '6', JSON.stringify(lines));
    assert.deepEqual(
      lines.filter(({ text }) => /^[{<]/.test(text)),
      [],
    );
  });

  it('is small with ten pods', async () => {
    const names = Array.from({ length: PODS }, (_, index) => `pod-${index}`);
    await site.objects.createAll(names.map((name) => boundPod(name, NODE)));
    await eventually(
      'all pods run',
      async () => {
        const pods = await site.objects.list(RESOURCES.pods);
        const phases = pods.map(({ status }) => (status as { readonly phase?: string } | undefined)?.phase);
        return phases.length === PODS && phases.every((phase) => phase === 'Running');
      },
      { deadlineMs: 20_000 },
    );
    assert.equal((await containers()).length, PODS);
    // What starting them took goes again.
    let mib = await edge.residentMib();
    console.log(`      ${mib.toFixed(1)} MiB resident as the last of ${PODS} pods runs`);
    await eventually(
      `at most ${RESIDENT_LIMIT_MIB} MiB`,
      async () => (mib = await edge.residentMib()) <= RESIDENT_LIMIT_MIB,
      { deadlineMs: 20_000, intervalMs: 500 },
    );
  });

  it('runs mappers and pods, which the kernel does not spare as it spares edgecore', async () => {
    await edge.shell(`cp ${EXAMPLES}/mappers.d/virtual.yaml /etc/hawser/mappers.d/`);
    await edge.shell('systemctl restart edgecore');
    await eventually('a mapper', async () => (await mappers()).length === 1, { deadlineMs: 20_000 });
    const score = (id: string | number): Promise<string> => edge.shell(`cat /proc/${id}/oom_score_adj`);
    assert.equal(await score(await pid()), '100\n');
    assert.equal(await score((await mappers())[0] ?? ''), '0\n');
    assert.equal(await score((await containers()).at(-1) ?? ''), '0\n');
  });

  it('is started again when it is killed', async () => {
    const before = { edge: await pid(), mappers: await mappers(), containers: await containers() };
    await edge.shell(`kill -KILL ${before.edge}`);
    await another(before.edge);
    assert.equal(await edge.property('NRestarts'), '1');
    assert.deepEqual(await containers(), before.containers);
    // The mapper has survived, and was ended by the next edgecore, which has one of its own.
    await eventually('another mapper', async () => {
      const [mapper, more] = await mappers();
      return mapper !== undefined && more === undefined && mapper !== before.mappers[0];
    });
    await edge.shell('rm /etc/hawser/mappers.d/virtual.yaml');
  });

  it('says that it lives, and is started again when it hangs', async () => {
    await override('WatchdogSec=2s'); // a minute otherwise: long for a test
    await edge.shell('systemctl restart edgecore');
    const { process } = await edge.untilConnected();
    const sign = (): Promise<string> => edge.property('WatchdogTimestampMonotonic');
    const first = await sign();
    await eventually('another sign of life', async () => (await sign()) !== first);
    await eventually('a word on the session', async () =>
      (await edge.property('StatusText')).includes('session with the hub: up'),
    );
    await edge.shell(`kill -STOP ${process.pid}`);
    await another(process.pid);
    const texts = (await edge.journal()).map(({ text }) => text);
    assert.ok(texts.some((text) => text.includes('Watchdog timeout')));
    await edge.shell('systemctl revert edgecore && systemctl restart edgecore');
    await edge.untilConnected();
  });

  it('is upgraded with its state', async () => {
    const before = {
      certificate: await certificate(),
      pid: await pid(),
      config: await edge.shell(`cat ${CONFIG}`),
      containers: await containers(),
    };
    await edge.shell(`echo '# mine' >> ${DEFAULTS}`);
    const newer = `${built.version}+upgrade`;
    await edge.install(await asVersion(newer, built));
    await another(before.pid);
    assert.match(
      await edge.shell('dpkg-query --show hawser-edgecore'),
      new RegExp(`\\t${newer.replace('+', '\\+')}\n$`),
    );
    assert.equal(await certificate(), before.certificate);
    assert.equal(await edge.shell(`cat ${CONFIG}`), before.config);
    assert.match(await edge.shell(`cat ${DEFAULTS}`), /# mine/);
    assert.deepEqual(await containers(), before.containers);
    const texts = (await edge.journal()).map(({ text }) => text);
    const count = (what: RegExp): number => texts.filter((text) => what.test(text)).length;
    assert.equal(count(/Failed with result/), 2); // the kill and the watchdog: an upgrade is no failure
    const objects = await edge.shell('hawser objects pods --output json');
    assert.equal(objects.match(/"key": "pods\/default\/pod-\d"/g)?.length, PODS);
  });

  it('starts with the machine', async () => {
    const before = await certificate();
    await computer?.halt();
    await computer?.boot();
    const { node } = await edge.untilConnected();
    assert.equal(node.name, NODE);
    await eventually('pods run', async () => (await containers()).length === PODS, { deadlineMs: 20_000 });
    assert.equal(await certificate(), before);
  });

  it('ends for good where the machine leaves, and starts where it joins again', async () => {
    assert.match(await edge.shell('hawser reset --yes'), /no node any more/);
    assert.deepEqual(await edge.properties('ActiveState', 'UnitFileState'), {
      ActiveState: 'inactive',
      UnitFileState: 'disabled',
    });
    await edge.shell(`echo '${JSON.stringify(PROCESSES)}' > ${CONFIG}`);
    const { host, port } = site.address();
    const token = await site.token({ node: NODE, replace: true });
    const said = await edge.shell(`hawser join --cloud ${host}:${port} --token ${token} --name ${NODE}`);
    assert.match(said, /edgecore runs, and starts with the machine/);
    await edge.untilConnected();
  });

  it('does not start again and again with a configuration that is wrong', async () => {
    await edge.shell(`cp ${CONFIG} /root/config && echo 'nonsense: 1' >> ${CONFIG}`);
    await edge.shell('systemctl restart edgecore || true');
    await eventually('it has failed', async () => (await edge.property('ActiveState')) === 'failed');
    assert.deepEqual(await edge.properties('ExecMainStatus', 'NRestarts'), {
      ExecMainStatus: '2',
      NRestarts: '0',
    });
    await edge.shell(`cp /root/config ${CONFIG} && systemctl start edgecore`);
    await edge.untilConnected();
  });

  it('is removed without its state, and purged with it', async () => {
    const before = await certificate();
    assert.match(await edge.shell('dpkg --remove hawser-edgecore'), /Kept: .*\/var\/lib\/hawser/);
    assert.equal(await edge.shell('pgrep --full ^/usr/lib/hawser/node.*edgecore/main || true'), '');
    assert.equal(await certificate(), before);
    assert.match(await edge.shell(`cat ${CONFIG}`), /hub:/);
    // A volume that is a folder of somebody else: it is not deleted through its mount.
    const volume = `${STATE}/edge/pods/x y`;
    await edge.shell(
      `mkdir -p /srv/data '${volume}' && touch /srv/data/kept && mount --bind /srv/data '${volume}'`,
    );
    assert.match(await edge.shell('dpkg --purge hawser-edgecore'), /Removed: \/var\/lib\/hawser/);
    const left = `ls -d ${STATE} /etc/hawser ${DEFAULTS} /usr/lib/hawser /usr/bin/hawser 2>/dev/null || true`;
    assert.equal(await edge.shell(left), '');
    assert.equal(await edge.shell('ls /srv/data'), 'kept\n');
    assert.doesNotMatch(await edge.shell('ls -R /etc/systemd/system'), /edgecore/);
  });

  it('is small', function () {
    if (!soaking) this.skip(); // the one that was made in seconds is not compressed
    assert.ok(built.bytes <= PACKAGE_LIMIT_BYTES, `${built.bytes} bytes`);
  });
});
