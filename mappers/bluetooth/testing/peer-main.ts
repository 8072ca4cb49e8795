// The process of BluezPeer: bluetoothd without a radio. It is told what to be by its parent.
import { Message, sessionBus } from 'dbus-next';
import type {
  PeerAnswer,
  PeerDevice,
  PeerFault,
  PeerOrder,
  PeerRequest,
  PeerState,
} from './peer-protocol.ts';
import { ServedAdapter } from './served-adapter.ts';
import { ServedDevice } from './served-device.ts';
import { ServedError, ServedObjects } from './served-objects.ts';

const CALLS_MAX = 10_000;

const bus = sessionBus({ busAddress: process.argv[2] ?? '', authMethods: ['EXTERNAL'] });
const adapters = new Map<string, ServedAdapter>();
const faults: { readonly fault: PeerFault; left: number }[] = [];
const calls: string[] = [];
let muted: (() => void)[] = [];

const objects = new ServedObjects(bus, async (path, member, run) => {
  calls.push(member);
  if (calls.length > CALLS_MAX) calls.shift();
  const fault = takeFault(path, member);
  if (fault?.error !== undefined) throw new ServedError(fault.error, fault.text ?? fault.error);
  if (fault?.mute === true) await new Promise<void>((resolve) => muted.push(resolve));
  return run();
});

function takeFault(path: string, member: string): PeerFault | undefined {
  const found = faults.find(
    ({ fault, left }) => left !== 0 && fault.member === member && isAbout(fault, path),
  );
  if (found === undefined) return undefined;
  found.left -= 1;
  return found.fault;
}

function isAbout({ address, uuid }: PeerFault, path: string): boolean {
  const device = devices().find((one) => path === one.path || path.startsWith(`${one.path}/`));
  if (address !== undefined && device?.address !== address) return false;
  return (
    uuid === undefined ||
    device?.characteristics.some((one) => one.uuid === uuid && one.path === path) === true
  );
}

function devices(): ServedDevice[] {
  return [...adapters.values()].flatMap((adapter) => [...adapter.devices.values()]);
}

function deviceOf(address: string): ServedDevice {
  const found = devices().find((device) => device.address === address);
  if (found === undefined) throw new Error(`there is no device ${address}`);
  return found;
}

function characteristicOf(address: string, uuid: string): ServedDevice['characteristics'][number] {
  const found = deviceOf(address).characteristics.find((one) => one.uuid === uuid);
  if (found === undefined) throw new Error(`${address} has no characteristic ${uuid}`);
  return found;
}

function obey(order: PeerOrder): unknown {
  switch (order.do) {
    case 'adapter': {
      const adapter = adapters.get(order.name);
      if (adapter === undefined)
        adapters.set(order.name, new ServedAdapter(order.name, order.powered, objects));
      else adapter.power(order.powered);
      return undefined;
    }
    case 'removeAdapter': {
      const adapter = adapters.get(order.name);
      adapters.delete(order.name);
      if (adapter !== undefined) objects.remove(adapter.path);
      return undefined;
    }
    case 'put':
      put(order.device);
      return undefined;
    case 'vanish':
    case 'appear':
      deviceOf(order.address).reach(order.do === 'appear');
      return undefined;
    case 'hangUp':
      deviceOf(order.address).breakOff();
      return undefined;
    case 'set':
      characteristicOf(order.address, order.uuid).set(Buffer.from(order.value, 'hex'));
      return undefined;
    case 'get':
      return characteristicOf(order.address, order.uuid).value.toString('hex');
    case 'fault':
      faults.push({ fault: order.fault, left: order.fault.times ?? 1 });
      return undefined;
    case 'mend':
      faults.length = 0;
      for (const resume of muted) resume();
      muted = [];
      return undefined;
    case 'calls':
      return calls;
    case 'reset':
      obey({ do: 'mend' });
      for (const name of [...adapters.keys()]) obey({ do: 'removeAdapter', name });
      obey({ do: 'adapter', name: 'hci0', powered: true });
      calls.length = 0;
      return undefined;
    case 'state':
      return state();
  }
}

function put(spec: PeerDevice): void {
  const adapter = adapters.get(spec.adapter ?? 'hci0');
  if (adapter === undefined) throw new Error(`there is no adapter ${spec.adapter ?? 'hci0'}`);
  const before = adapter.devices.get(spec.address);
  before?.breakOff();
  before?.withdraw();
  const device = new ServedDevice(spec, adapter, objects);
  adapter.devices.set(spec.address, device);
  adapter.hear(device);
}

function state(): PeerState {
  const all = [...adapters.values()];
  const scanners = all.reduce((sum, adapter) => sum + adapter.scanners, 0);
  return {
    discovering: scanners > 0,
    scanners,
    connected: devices().flatMap(({ isConnected, address }) => (isConnected ? [address] : [])),
    notifying: devices().flatMap(({ characteristics }) =>
      characteristics.flatMap(({ isNotifying, uuid }) => (isNotifying ? [uuid] : [])),
    ),
    mostConnecting: Math.max(0, ...all.map(({ mostConnecting }) => mostConnecting)),
  };
}

function answer(message: PeerAnswer): void {
  process.send?.(message);
}

process.on('message', ({ id, order }: PeerRequest) => {
  try {
    answer({ id, result: obey(order) });
  } catch (error) {
    answer({ id, error: (error as Error).message });
  }
});
process.on('disconnect', () => process.exit());
bus.on('error', () => process.exit(1));

// Clients that leave: their scans and notifications end.
bus.on('message', (message: Message) => {
  if (message.member !== 'NameOwnerChanged') return;
  const [name, , owner] = message.body as string[];
  if (name !== undefined && owner === '') for (const adapter of adapters.values()) adapter.forget(name);
});
const rule = "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged'";
await bus.call(
  new Message({
    destination: 'org.freedesktop.DBus',
    path: '/org/freedesktop/DBus',
    interface: 'org.freedesktop.DBus',
    member: 'AddMatch',
    signature: 's',
    body: [rule],
  }),
);
const nothing = (): undefined => undefined;
objects.add('/org/bluez', 'org.bluez.AgentManager1', {
  properties: {},
  methods: {
    RegisterAgent: { in: 'os', out: '', run: nothing },
    UnregisterAgent: { in: 'o', out: '', run: nothing },
    RequestDefaultAgent: { in: 'o', out: '', run: nothing },
  },
});
await bus.requestName('org.bluez', 0);
answer({ id: 0 });
