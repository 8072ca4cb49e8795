import assert from 'node:assert/strict';
import { eventually } from '@hawser/seams/testing';
import { netnsAvailable, SwitchedNetwork } from '../../src/index.ts';

describe('SwitchedNetwork', function () {
  this.timeout(30_000);
  let network: SwitchedNetwork;

  before(async function () {
    const available = await netnsAvailable();
    if (!available.ok) {
      console.log(`    skipped: ${available.reason}`);
      this.skip();
    }
    network = await SwitchedNetwork.create(3);
    const script = new URL('children/greeter.js', import.meta.url);
    await Promise.all([network.cloud, ...network.stations].map((station) => station.startNode({ script })));
  });

  after(async () => {
    await (network as SwitchedNetwork | undefined)?.close();
  });

  /** Whether a station can connect to an address. */
  async function reaches(from: number, address: string): Promise<boolean> {
    try {
      await network
        .station(from)
        .namespace.exec('timeout', ['1', 'bash', '-c', `cat < /dev/tcp/${address}/7`]);
      return true;
    } catch {
      return false;
    }
  }

  it('joins stations with each other and with the cloud', async () => {
    assert.equal(await reaches(0, network.station(1).lanAddress), true);
    assert.equal(await reaches(2, network.cloud.address), true);
  });

  it('loses what is sent by a plug that was pulled, and nothing else', async () => {
    await network.station(0).setPlugged('cloud', false);
    assert.equal(await reaches(0, network.cloud.address), false);
    assert.equal(await reaches(0, network.station(1).lanAddress), true);
    assert.equal(await reaches(1, network.cloud.address), true);
    await network.station(0).setPlugged('cloud', true);
    // Until the kernel asks for the address again.
    await eventually('it is reached again', () => reaches(0, network.cloud.address));
  });

  it('splits the LAN in two, and joins it again', async () => {
    await network.split([2]);
    assert.equal(await reaches(0, network.station(2).lanAddress), false);
    assert.equal(await reaches(0, network.station(1).lanAddress), true);
    await network.split([]);
    await eventually('it is reached again', () => reaches(2, network.station(0).lanAddress));
  });
});
