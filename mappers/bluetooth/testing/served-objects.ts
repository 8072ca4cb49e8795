import { Message, Variant, type MessageBus } from 'dbus-next';

/** Signature and value of each property. */
export type ServedProperties = Record<string, readonly [signature: string, value: unknown]>;

/** A method: what it takes, what it gives, and what it does; it throws ServedError. */
export interface ServedMethod {
  readonly in: string;
  readonly out: string;
  readonly run: (args: readonly unknown[], sender: string) => unknown;
}

/** An interface of an object. */
export interface ServedInterface {
  readonly properties: ServedProperties;
  readonly methods: Readonly<Record<string, ServedMethod>>;
  /** Properties that can be set, and by what. */
  readonly set?: Readonly<Record<string, (value: unknown) => void>>;
}

/** Answered as an error of D-Bus. */
export class ServedError extends Error {
  readonly errorName: string;

  /** @param errorName without `org.bluez.Error.`, or with all of another name */
  constructor(errorName: string, text: string) {
    super(text);
    this.errorName = errorName.includes('.') ? errorName : `org.bluez.Error.${errorName}`;
  }
}

const PROPERTIES = 'org.freedesktop.DBus.Properties';
const MANAGER = 'org.freedesktop.DBus.ObjectManager';

/** Objects on a bus: properties, introspection, ObjectManager at `/`, and the signals of all that. */
export class ServedObjects {
  readonly #bus: MessageBus;
  readonly #objects = new Map<string, Map<string, ServedInterface>>();
  /** Called before a method; it may answer in its place, later. */
  readonly #before: (path: string, member: string, run: () => unknown) => unknown;

  constructor(bus: MessageBus, before: (path: string, member: string, run: () => unknown) => unknown) {
    this.#bus = bus;
    this.#before = before;
    bus.addMethodHandler((message: Message) => this.#handle(message));
  }

  add(path: string, name: string, served: ServedInterface): void {
    const object = this.#objects.get(path) ?? new Map<string, ServedInterface>();
    this.#objects.set(path, object);
    object.set(name, served);
    this.#signal('/', MANAGER, 'InterfacesAdded', 'oa{sa{sv}}', [
      path,
      { [name]: variants(served.properties) },
    ]);
  }

  /** An object and all below it. */
  remove(path: string): void {
    for (const at of [...this.#objects.keys()].reverse()) {
      if (at !== path && !at.startsWith(`${path}/`)) continue;
      const names = [...(this.#objects.get(at)?.keys() ?? [])];
      this.#objects.delete(at);
      this.#signal('/', MANAGER, 'InterfacesRemoved', 'oas', [at, names]);
    }
  }

  /** Sets properties, and says so. @param changes undefined values are dropped */
  change(path: string, name: string, changes: Record<string, unknown>): void {
    const served = this.#objects.get(path)?.get(name);
    if (served === undefined) return;
    const invalidated: string[] = [];
    const changed: ServedProperties = {};
    for (const [key, value] of Object.entries(changes)) {
      const signature = SIGNATURES[key] ?? served.properties[key]?.[0] ?? 'b';
      if (value === undefined) {
        Reflect.deleteProperty(served.properties, key);
        invalidated.push(key);
      } else {
        served.properties[key] = changed[key] = [signature, value];
      }
    }
    const body = [name, variants(changed), invalidated];
    this.#signal(path, PROPERTIES, 'PropertiesChanged', 'sa{sv}as', body);
  }

  #signal(path: string, name: string, member: string, signature: string, body: unknown[]): void {
    this.#bus.send(Message.newSignal(path, name, member, signature, body));
  }

  #handle(message: Message): boolean {
    const { path, interface: name, member } = message;
    const body = message.body as unknown[];
    if (name === 'org.freedesktop.DBus.Introspectable') {
      this.#answer(message, 's', this.#introspect(path));
    } else if (name === MANAGER && member === 'GetManagedObjects' && path === '/') {
      this.#answer(message, 'a{oa{sa{sv}}}', this.#managed());
    } else if (name === PROPERTIES) {
      this.#properties(message, body);
    } else {
      const method = this.#objects.get(path)?.get(name)?.methods[member];
      if (method?.in !== message.signature) {
        const text = `Method "${member}" with signature "${message.signature}" on interface "${name}" doesn't exist`;
        this.#fail(message, new ServedError('org.freedesktop.DBus.Error.UnknownObject', text));
        return true;
      }
      void this.#run(message, method, body);
    }
    return true;
  }

  async #run(message: Message, method: ServedMethod, body: readonly unknown[]): Promise<void> {
    try {
      const run = (): unknown => method.run(body, message.sender);
      this.#answer(message, method.out, await this.#before(message.path, message.member, run));
    } catch (error) {
      this.#fail(message, error);
    }
  }

  #properties(message: Message, body: readonly unknown[]): void {
    const [name, key, value] = body as [string, string, { value: unknown }];
    const served = this.#objects.get(message.path)?.get(name);
    if (message.member === 'GetAll') {
      this.#answer(message, 'a{sv}', variants(served?.properties ?? {}));
      return;
    }
    const property = served?.properties[key];
    const set = served?.set?.[key];
    if (message.member === 'Get' && property !== undefined) {
      this.#answer(message, 'v', new Variant(...property));
    } else if (message.member === 'Set' && set !== undefined) {
      set(value.value);
      this.#answer(message, '', undefined);
    } else {
      this.#fail(
        message,
        new ServedError('org.freedesktop.DBus.Error.InvalidArgs', `No such property '${key}'`),
      );
    }
  }

  #answer(message: Message, signature: string, value: unknown): void {
    const body = signature === '' ? [] : [value];
    this.#bus.send(Message.newMethodReturn(message, signature, body));
  }

  #fail(message: Message, error: unknown): void {
    const name = error instanceof ServedError ? error.errorName : 'org.bluez.Error.Failed';
    const reply = new Message({
      type: 3,
      replySerial: message.serial as unknown as string, // a number on the wire; the types have it wrong
      destination: message.sender,
      errorName: name,
      signature: 's',
      body: [(error as Error).message],
    });
    this.#bus.send(reply);
  }

  #managed(): Record<string, Record<string, Record<string, Variant>>> {
    return Object.fromEntries(
      [...this.#objects].map(([path, object]) => [
        path,
        Object.fromEntries([...object].map(([name, { properties }]) => [name, variants(properties)])),
      ]),
    );
  }

  #introspect(path: string): string {
    const base = path === '/' ? '/' : `${path}/`;
    const children = new Set(
      [...this.#objects.keys()]
        .filter((at) => at.startsWith(base) && at !== path)
        .map((at) => at.slice(base.length).split('/', 1)[0] ?? ''),
    );
    const interfaces = [...(this.#objects.get(path) ?? [])].map(([name, served]) =>
      interfaceXml(name, served),
    );
    const nodes = [...children].map((name) => `<node name="${name}"/>`);
    return `<node>${PROPERTIES_XML}${interfaces.join('')}${nodes.join('')}</node>`;
  }
}

/** Signatures of properties that come and go. */
const SIGNATURES: Readonly<Record<string, string>> = { RSSI: 'n', Value: 'ay', UUIDs: 'as' };

const PROPERTIES_XML =
  `<interface name="${PROPERTIES}">` +
  '<method name="Get"><arg type="s" direction="in"/><arg type="s" direction="in"/><arg type="v" direction="out"/></method>' +
  '<method name="Set"><arg type="s" direction="in"/><arg type="s" direction="in"/><arg type="v" direction="in"/></method>' +
  '<method name="GetAll"><arg type="s" direction="in"/><arg type="a{sv}" direction="out"/></method>' +
  '<signal name="PropertiesChanged"><arg type="s"/><arg type="a{sv}"/><arg type="as"/></signal></interface>';

function interfaceXml(name: string, { properties, methods }: ServedInterface): string {
  const args = Object.entries(methods).map(([member, method]) => {
    const taken = typesIn(method.in).map((type) => `<arg type="${type}" direction="in"/>`);
    const given = method.out === '' ? '' : `<arg type="${method.out}" direction="out"/>`;
    return `<method name="${member}">${taken.join('')}${given}</method>`;
  });
  const held = Object.entries(properties).map(
    ([key, [type]]) => `<property name="${key}" type="${type}" access="read"/>`,
  );
  return `<interface name="${name}">${args.join('')}${held.join('')}</interface>`;
}

/** The types of a signature, as far as BlueZ has them: each letter one, but for arrays. */
function typesIn(signature: string): readonly string[] {
  return signature.match(/a\{sv\}|a?[a-z]/g) ?? [];
}

function variants(properties: ServedProperties): Record<string, Variant> {
  return Object.fromEntries(
    Object.entries(properties).map(([key, property]) => [key, new Variant(...property)]),
  );
}
