import assert from 'node:assert/strict';
import { eventually, makeTempDir, type TempDir, hasMosquitto, runMosquitto } from '@hawser/seams/testing';
import { givenBus, type GivenBus } from './given-bus.ts';

const as = (name: string): string[] => ['-u', name, '-P', `secret-of-${name}`];

describe('embedded event bus, with clients of mosquitto', () => {
  let dir: TempDir;
  let given: GivenBus;
  before(async function () {
    if (!hasMosquitto()) {
      console.log('      skipped: mosquitto and mosquitto-clients are not installed');
      this.skip();
    }
    dir = await makeTempDir();
    given = await givenBus(dir.path);
  });
  after(async () => {
    await given.end();
    await dir.remove();
  });

  for (const qos of ['0', '1', '2']) {
    for (const version of ['mqttv31', 'mqttv311']) {
      it(`take QoS ${qos} over ${version}`, async () => {
        const id = ['-i', 'app/sub', '-V', version];
        const hearing = runMosquitto('mosquitto_sub', given.bus.url, [
          ...as('app'),
          ...id,
          ...['-t', `app/${qos}`, '-q', qos, '-C', '3', '-W', '10', '-F', '%t %q %p'],
        ]);
        await eventually('the subscriber', () => given.bus.status().clients === 1);
        await eventually('the messages', async () => {
          for (const text of ['a', 'b', 'c']) {
            const { code } = await runMosquitto('mosquitto_pub', given.bus.url, [
              ...as('all'),
              ...['-i', 'all/pub', '-V', version, '-t', `app/${qos}`, '-q', qos, '-m', text],
            ]);
            assert.equal(code, 0);
          }
          return true;
        });
        const { lines } = await hearing;
        assert.deepEqual(lines, [`app/${qos} ${qos} a`, `app/${qos} ${qos} b`, `app/${qos} ${qos} c`]);
      });
    }
  }

  it('get a client identifier where they have none', async () => {
    const args = [...as('all'), '-V', 'mqttv311', '-t', 'app/x', '-m', 'x', '-q', '1'];
    const { code, errors } = await runMosquitto('mosquitto_pub', given.bus.url, args);
    assert.equal(code, 0, errors);
  });

  it('keep a session with -c, and get what came meanwhile', async () => {
    const session = [...as('app'), '-i', 'app/kept', '-c', '-q', '1', '-t', 'app/kept', '-V', 'mqttv311'];
    await runMosquitto('mosquitto_sub', given.bus.url, [...session, '-E']);
    for (const text of ['1', '2']) await given.bus.publish('app/kept', text);
    const { lines } = await runMosquitto('mosquitto_sub', given.bus.url, [...session, '-C', '2', '-W', '5']);
    assert.deepEqual(lines, ['1', '2']);
  });

  it('are told when they are refused', async () => {
    const wrong = await runMosquitto('mosquitto_pub', given.bus.url, [
      ...['-u', 'app', '-P', 'wrong', '-i', 'app/1', '-V', 'mqttv311', '-t', 'app/x', '-m', 'x'],
    ]);
    assert.notEqual(wrong.code, 0);
    assert.match(wrong.errors, /bad user name or password|not authori[sz]ed/i);
    const refused = await runMosquitto('mosquitto_sub', given.bus.url, [
      ...as('modbus'),
      ...['-i', 'modbus/1', '-V', 'mqttv311', '-t', '$hw/events/mapper/bluetooth/#', '-W', '2'],
    ]);
    assert.match(refused.errors, /denied/i);
  });

  it('get what was retained, and wills of those that are killed', async () => {
    await given.bus.publish('app/state', 'on', { retain: true });
    const state = await runMosquitto('mosquitto_sub', given.bus.url, [
      ...as('app'),
      ...['-i', 'app/2', '-V', 'mqttv311', '-t', 'app/state', '-C', '1', '-W', '5', '-F', '%r %p'],
    ]);
    assert.deepEqual(state.lines, ['1 on']);
    const gone: string[] = [];
    given.bus.subscribe('app/will', ({ payload }) => void gone.push(Buffer.from(payload).toString()));
    const client = await given.client('app', {
      will: { topic: 'app/will', payload: Buffer.from('gone'), qos: 1, retain: false },
    });
    client.stream.destroy();
    await eventually('the will', () => gone.length === 1);
    assert.deepEqual(gone, ['gone']);
  });
});
