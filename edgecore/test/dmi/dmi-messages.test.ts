import assert from 'node:assert/strict';
import protobuf from 'protobufjs';
import type { Fields, Message } from '../../src/cri/wire.ts';
import { anyOf, dataOf } from '../../src/dmi/any-value.ts';
import * as messages from '../../src/dmi/dmi-messages.ts';
import { MANAGER_METHODS, MAPPER_METHODS } from '../../src/dmi/dmi-services.ts';
import { decodePlain, dmiRoot, encodePlain, opened } from './dmi-proto.ts';

type Table = Pick<Message<Fields>, 'name' | 'fields'>;

/** What is said of a method. */
interface Tables {
  readonly path: string;
  readonly request: Table;
  readonly response: Table;
}

/** A table as text, all messages in it included. */
function shapeOf({ fields }: Pick<Message<Fields>, 'fields'>): unknown {
  return Object.fromEntries(
    Object.entries(fields).map(([name, { number, type, repeated, message }]) => [
      name,
      [number, message === undefined ? type : shapeOf(message), repeated],
    ]),
  );
}

/** The same of what protobufjs has read, of those fields that the table has. */
function shapeOfType(type: protobuf.Type, { fields }: Pick<Message<Fields>, 'fields'>): unknown {
  return Object.fromEntries(
    Object.entries(fields).map(([name, { message }]) => {
      const field = type.fields[name === 'typeUrl' ? 'type_url' : name];
      if (field instanceof protobuf.MapField) {
        if (field.type === 'string') return [name, [field.id, 'map', false]];
        // A map of messages is a list of entries.
        const entry = { key: [1, 'string', false], value: [2, shapeOf(messages.Any), false] };
        assert.equal(field.resolvedType?.fullName, '.google.protobuf.Any');
        return [name, [field.id, entry, true]];
      }
      const inner = field?.resolvedType;
      const shape =
        inner instanceof protobuf.Type && message !== undefined ? shapeOfType(inner, message) : field?.type;
      return [name, [field?.id, shape, field?.repeated]];
    }),
  );
}

describe('DMI messages', () => {
  it('are as protobufjs reads the interface: names, numbers and types of each', () => {
    for (const [service, methods] of [
      ['DeviceManagerService', MANAGER_METHODS],
      ['DeviceMapperService', MAPPER_METHODS],
    ] as const) {
      const found = dmiRoot.lookupService(`v1beta1.${service}`);
      assert.equal(found.methodsArray.length, Object.keys(methods).length);
      const tables: readonly Tables[] = Object.values(methods);
      for (const { path, request, response } of tables) {
        const method = found.methods[path.slice(`/v1beta1.${service}/`.length)];
        assert.ok(method, path);
        for (const [type, table] of [
          [method.resolvedRequestType, request],
          [method.resolvedResponseType, response],
        ] as const) {
          assert.equal(type?.name, table.name);
          assert.deepEqual(
            shapeOf(table),
            shapeOfType(dmiRoot.lookupType(`v1beta1.${table.name}`), table),
            path,
          );
        }
      }
    }
  });

  it('are read by protobufjs, and read what it writes, with fields that we do not know', () => {
    const twin = {
      propertyName: 'temperature',
      observedDesired: { value: '21', metadata: { type: 'int', __proto__x: 'y' } },
      reported: { value: '20.5' },
    };
    const request = {
      deviceName: 'd',
      deviceNamespace: 'default',
      reportedDevice: { twins: [twin], reportToCloud: true, reportCycle: 2 ** 40 },
    };
    const bytes = encodePlain('v1beta1.ReportDeviceStatusRequest', request);
    const read = messages.ReportDeviceStatusRequest.decode(bytes);
    assert.deepEqual(read.reportedDevice?.twins[0]?.observedDesired, twin.observedDesired);
    assert.equal(read.reportedDevice.reportCycle, 2 ** 40);
    assert.deepEqual(
      decodePlain('v1beta1.ReportDeviceStatusRequest', messages.ReportDeviceStatusRequest.encode(request)),
      request,
    );
    const model = {
      name: 'm',
      namespace: 'n',
      spec: { properties: [{ name: 'a', type: 'INT' }], commands: [{ name: 'c' }] },
    };
    const decoded = messages.DmiDeviceModel.decode(encodePlain('v1beta1.DeviceModel', model));
    assert.deepEqual([decoded.name, decoded.spec?.properties[0]?.type], ['m', 'INT']);
  });
});

describe('configData for DMI', () => {
  const opens = (value: unknown): unknown => {
    const { data } = dataOf({ it: value });
    const bytes = messages.CustomizedValue.encode({ data });
    const plain = decodePlain('v1beta1.CustomizedValue', bytes)['data'] as
      Record<string, unknown> | undefined;
    return plain === undefined ? undefined : opened(plain['it']);
  };

  it('has text, truth and numbers in the wrappers that KubeEdge uses', () => {
    assert.deepEqual(opens('127.0.0.1'), { type: 'StringValue', value: '127.0.0.1' });
    assert.deepEqual(opens(''), { type: 'StringValue', value: '' });
    assert.deepEqual(opens('näh ☃'), { type: 'StringValue', value: 'näh ☃' });
    assert.deepEqual(opens(true), { type: 'BoolValue', value: true });
    assert.deepEqual(opens(false), { type: 'BoolValue', value: false });
    assert.deepEqual(opens(502), { type: 'FloatValue', value: 502 });
    assert.deepEqual(opens(-1), { type: 'FloatValue', value: -1 });
    assert.deepEqual(opens(0), { type: 'FloatValue', value: 0 });
    assert.deepEqual(opens(0.5), { type: 'FloatValue', value: 0.5 });
    assert.deepEqual(opens(0.1), { type: 'FloatValue', value: Math.fround(0.1) });
    assert.deepEqual(opens(1e30), { type: 'FloatValue', value: Math.fround(1e30) });
  });

  it('has whole numbers that a float of 32 bits does not hold as they are', () => {
    assert.deepEqual(opens(16_777_217), { type: 'Int64Value', value: 16_777_217 });
    assert.deepEqual(opens(-4_294_967_297), { type: 'Int64Value', value: -4_294_967_297 });
    assert.deepEqual(opens(Number.MAX_SAFE_INTEGER), { type: 'Int64Value', value: Number.MAX_SAFE_INTEGER });
  });

  it('has objects and lists as the well-known types, and says nothing of null', () => {
    const nested = {
      startIndex: 1,
      on: true,
      text: 'x',
      list: [1.25, 'a', null, [false]],
      inner: { deep: { er: '' } },
    };
    const value = (plain: unknown): unknown => {
      if (plain === null) return { nullValue: 0 };
      if (typeof plain === 'number') return { numberValue: plain };
      if (typeof plain === 'string') return { stringValue: plain };
      if (typeof plain === 'boolean') return { boolValue: plain };
      if (Array.isArray(plain)) return { listValue: { values: plain.map(value) } };
      return { structValue: struct(plain as object) };
    };
    const struct = (plain: object): unknown => ({
      fields: Object.fromEntries(Object.entries(plain).map(([key, item]) => [key, value(item)])),
    });
    for (const [given, type, expected] of [
      [nested, 'Struct', struct(nested)],
      [[1, { a: 'b' }], 'ListValue', { values: [value(1), value({ a: 'b' })] }],
    ] as const) {
      const any = anyOf(given);
      assert.equal(any?.typeUrl, `type.googleapis.com/google.protobuf.${type}`);
      const found = dmiRoot.lookupType(`google.protobuf.${type}`);
      assert.deepEqual(found.toObject(found.decode(any.value ?? new Uint8Array())), expected);
    }
    assert.equal(anyOf(null), undefined);
    assert.deepEqual(
      dataOf({ a: null, b: 1 }).data.map(({ key }) => key),
      ['b'],
    );
  });
});
