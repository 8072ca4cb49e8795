import assert from 'node:assert/strict';
import { readProtobuf } from '../../src/server/body/protobuf-body.ts';
import { bytesField, message } from '../../src/server/openapi/wire-writer.ts';
import { decodeStruct } from '../../src/server/types/decode.ts';
import { FIELDS } from '../../src/server/types/generated/fields.ts';
import { goField } from '../../src/server/types/go-fields.ts';
import { DecodeError } from '../../src/server/types/scalars.ts';
import { structType } from '../../src/server/types/struct.ts';
import { recordings, type RecordingFile } from '../recordings.ts';

const STRUCTS = FIELDS.trim()
  .split('\n')
  .map((line) => line.split(' ', 1)[0] ?? '');

function decode(struct: string, value: unknown): { decoded: unknown; unknown: string[] } {
  const unknown: string[] = [];
  return { decoded: decodeStruct(struct, value, unknown), unknown };
}

describe('server: decoding of built-in kinds', () => {
  it('drops what it does not know, and says where it stood', () => {
    const { decoded, unknown } = decode('Pod', {
      spec: { containers: [{ name: 'a', imagee: 'x' }], nodename: 'n' },
      Status: {},
    });
    assert.deepEqual(unknown, ['spec.containers[0].imagee', 'spec.nodename', 'Status']);
    assert.deepEqual(decoded, {
      metadata: {},
      spec: { containers: [{ name: 'a', resources: {} }] },
      status: {},
    });
  });

  it('refuses values of the wrong type in the words of Go', () => {
    for (const [struct, value, text] of [
      [
        'ConfigMap',
        { data: { a: 1 } },
        'json: cannot unmarshal number into Go struct field ConfigMap.data of type string',
      ],
      [
        'ConfigMap',
        { data: [] },
        'json: cannot unmarshal array into Go struct field ConfigMap.data of type map[string]string',
      ],
      [
        'Pod',
        { spec: { containers: {} } },
        'json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container',
      ],
      [
        'Pod',
        { spec: { hostNetwork: 'yes' } },
        'json: cannot unmarshal string into Go struct field PodSpec.spec.hostNetwork of type bool',
      ],
      [
        'Deployment',
        { spec: { replicas: 1.5 } },
        'json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32',
      ],
      [
        'Deployment',
        { spec: { replicas: 2 ** 31 } },
        'json: cannot unmarshal number 2147483648 into Go struct field DeploymentSpec.spec.replicas of type int32',
      ],
      ['Secret', { data: { a: '%%%' } }, 'illegal base64 data at input byte 0'],
      [
        'Lease',
        { spec: { renewTime: 'soon' } },
        'parsing time "soon" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "soon" as "2006"',
      ],
    ] as const) {
      assert.throws(() => decode(struct, value), { name: 'DecodeError', message: text });
    }
    assert.throws(() => decode('Pod', []), DecodeError);
  });

  it('gives quantities, times and base64 their canonical form', () => {
    const { decoded } = decode('Pod', {
      metadata: { creationTimestamp: '2026-01-01T01:00:00.5+01:00' },
      spec: { containers: [{ name: 'a', resources: { limits: { cpu: '1000m', memory: 1024 } } }] },
    });
    assert.deepEqual(decoded, {
      metadata: { creationTimestamp: '2026-01-01T00:00:00Z' },
      spec: { containers: [{ name: 'a', resources: { limits: { cpu: '1', memory: '1024' } } }] },
      status: {},
    });
  });

  it('brings what it has decoded to the same form again, for every kind', () => {
    for (const struct of STRUCTS) {
      const first = decode(struct, {}).decoded;
      assert.deepEqual(decode(struct, first).decoded, first, struct);
    }
  });

  it('changes nothing of what kube-apiserver has answered', () => {
    let count = 0;
    for (const file of ['crud', 'list', 'patch', 'table', 'node'] as RecordingFile[]) {
      for (const { name, response } of recordings(file).values()) {
        const { kind, apiVersion, ...body } = (response.body ?? {}) as Record<string, unknown>;
        if (typeof kind !== 'string' || !STRUCTS.includes(kind) || body['spec'] === '<trimmed>') continue;
        if (JSON.stringify(body).includes('<redacted>')) continue; // no base64
        const { decoded, unknown } = decode(kind, body);
        assert.deepEqual(decoded, body, `${file}/${name} ${String(apiVersion)}`);
        assert.deepEqual(unknown, []);
        count += 1;
      }
    }
    assert.ok(count > 100);
  });

  it('knows how Go declares nearly every field of the built-in kinds', () => {
    const missing = STRUCTS.filter(
      (name) => !/^CustomResource|^JSONSchema|^Webhook|^apiext|^External|^Selectable|^Validation/.test(name),
    )
      .flatMap((name) => [...structType(name).fields.keys()].map((field) => `${name}.${field}`))
      .filter((id) => !/\.(kind|apiVersion)$/.test(id))
      .filter(
        (id) => goField(id.slice(0, id.lastIndexOf('.')), id.slice(id.lastIndexOf('.') + 1)) === undefined,
      );
    // Fields that are newer than the tables of declarations.
    assert.ok(missing.length < 60, missing.join(' '));
    assert.ok(!missing.some((id) => id.startsWith('PodSpec.container')));
  });
});

describe('server: protobuf bodies', () => {
  const envelope = (kind: string, raw: Buffer): Buffer =>
    Buffer.concat([
      Buffer.from('k8s\0'),
      message(
        bytesField(1, message(bytesField(1, 'v1'), bytesField(2, kind))),
        bytesField(2, raw),
        bytesField(3, ''),
        bytesField(4, ''),
      ),
    ]);
  const number = (field: number, value: number): Buffer => Buffer.from([field * 8, value]);

  it('reads what kubectl 1.32 sends for `create configmap a --from-literal=x=1`', () => {
    const sent = Buffer.from(
      '6b3873000a0f0a02763112' +
        '09436f6e6669674d6170' +
        '121b0a110a016112001a0022002a00320038004200' +
        '12060a0178120131' +
        '1a002200',
      'hex',
    );
    const { metadata, data } = readProtobuf(sent, 'ConfigMap');
    assert.equal((metadata as { name: string }).name, 'a');
    assert.deepEqual(data, { x: '1' });
  });

  it('reads strings, maps, lists, inlined structs, quantities, times and ints or strings', () => {
    const quantity = bytesField(1, '500m');
    const limits = bytesField(1, message(bytesField(1, 'cpu'), bytesField(2, quantity)));
    const env = message(
      bytesField(1, 'E'),
      bytesField(3, bytesField(4, message(bytesField(1, bytesField(1, 'secret')), bytesField(2, 'key')))),
    );
    const probe = message(
      bytesField(
        1,
        bytesField(
          2,
          message(bytesField(1, '/z'), bytesField(2, message(number(1, 1), bytesField(3, 'http')))),
        ),
      ),
      number(2, 5),
    );
    const container = message(
      bytesField(1, 'main'),
      bytesField(8, limits),
      bytesField(7, env),
      bytesField(10, probe),
      bytesField(3, 'sh'),
      bytesField(3, '-c'),
    );
    const volume = message(
      bytesField(1, 'v'),
      bytesField(2, bytesField(19, bytesField(1, bytesField(1, 'cm')))),
    );
    const meta = message(
      bytesField(1, 'p'),
      bytesField(8, message(number(1, 60))),
      bytesField(11, message(bytesField(1, 'a'), bytesField(2, 'b'))),
    );
    const pod = message(
      bytesField(1, meta),
      bytesField(2, message(bytesField(1, volume), bytesField(2, container), number(4, 30), number(11, 1))),
    );
    const read = readProtobuf(envelope('Pod', pod), 'Pod');
    assert.deepEqual(read, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p', creationTimestamp: '1970-01-01T00:01:00Z', labels: { a: 'b' } },
      spec: {
        volumes: [{ name: 'v', configMap: { name: 'cm' } }],
        containers: [
          {
            name: 'main',
            resources: { limits: { cpu: '500m' } },
            env: [{ name: 'E', valueFrom: { secretKeyRef: { name: 'secret', key: 'key' } } }],
            livenessProbe: { httpGet: { path: '/z', port: 'http' }, initialDelaySeconds: 5 },
            command: ['sh', '-c'],
          },
        ],
        terminationGracePeriodSeconds: 30,
        hostNetwork: true,
      },
    });
    assert.deepEqual(decode('Pod', read).unknown, []);
  });

  it('throws nothing but RangeError and SyntaxError for mutilated messages', () => {
    const whole = envelope(
      'Secret',
      message(
        bytesField(1, bytesField(1, 's')),
        bytesField(2, message(bytesField(1, 'k'), bytesField(2, 'v'))),
      ),
    );
    for (let length = 0; length < whole.length; length += 1) {
      for (const bytes of [whole.subarray(0, length), Buffer.from(whole).fill(0xff, length, length + 1)]) {
        try {
          readProtobuf(bytes, 'Secret');
        } catch (error) {
          assert.ok(error instanceof RangeError || error instanceof SyntaxError, String(error));
        }
      }
    }
  });
});
