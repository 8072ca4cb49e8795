import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import path from 'node:path';
import { makeTempDir, type TempDir } from '@hawser/seams/testing';
import { LinuxMachine } from '../../src/node/machine.ts';

describe('LinuxMachine', () => {
  let root: TempDir;

  beforeEach(async () => {
    root = await makeTempDir();
  });
  afterEach(() => root.remove());

  async function put(file: string, text: string): Promise<void> {
    const target = path.join(root.path, file);
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(target, text);
  }

  it('reads the machine that it runs on', () => {
    const machine = new LinuxMachine('/tmp');
    const { kernelVersion, bootId, cpus, osImage } = machine.facts();
    assert.match(kernelVersion, /^\d+\.\d+/);
    assert.match(bootId, /^[0-9a-f-]{36}$/);
    assert.ok(cpus >= 1 && osImage !== '');
    const { memoryTotalBytes, memoryAvailableBytes, disk, pids } = machine.read();
    assert.ok(memoryAvailableBytes > 0 && memoryAvailableBytes < memoryTotalBytes);
    assert.ok(disk.availableBytes > 0 && disk.availableBytes <= disk.totalBytes);
    assert.ok(pids.used > 0 && pids.used < pids.max);
  });

  it('reads what the files say', async () => {
    await put('etc/os-release', 'NAME="x"\nPRETTY_NAME="An OS \\"7\\""\n');
    await put('etc/machine-id', 'abc\n');
    await put('proc/sys/kernel/random/boot_id', 'boot\n');
    await put('proc/meminfo', 'MemTotal:     2048 kB\nMemFree: 1 kB\nMemAvailable:  1024 kB\n');
    await put('proc/loadavg', '0.1 0.2 0.3 2/345 999\n');
    await put('proc/sys/kernel/pid_max', '32768\n');
    await put('proc/sys/kernel/threads-max', '1000\n');
    const machine = new LinuxMachine(root.path, root.path);
    const facts = machine.facts();
    assert.equal(facts.osImage, 'An OS "7"');
    assert.deepEqual([facts.machineId, facts.systemUuid, facts.bootId], ['abc', 'abc', 'boot']);
    const reading = machine.read();
    assert.deepEqual([reading.memoryTotalBytes, reading.memoryAvailableBytes], [2_097_152, 1_048_576]);
    assert.deepEqual(reading.pids, { used: 345, max: 1000 });
  });

  it('puts the addresses of the default route first, and leaves out what nobody can reach', async () => {
    const real = Object.entries(networkInterfaces()).filter(([, found]) =>
      found?.some(({ internal }) => !internal),
    );
    const [name = 'none', found = []] = real.at(-1) ?? [];
    await put('proc/meminfo', '');
    await put(
      'proc/net/route',
      `Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n${name}\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\n`,
    );
    const { addresses } = new LinuxMachine(root.path, root.path).read();
    assert.ok(addresses.every((address) => !/^(127\.|::1$|fe80:)/.test(address)));
    const own = found.map(({ address }) => address).filter((address) => !/^fe80:|^169\.254\./.test(address));
    if (own.length > 0)
      assert.ok(own.includes(addresses[0] ?? ''), `${addresses.join()} begins with one of ${own.join()}`);
  });
});
