import assert from 'node:assert/strict';
import { quoteGo } from '../../src/containers/go-quote.ts';
import { FieldError, podField } from '../../src/containers/pod-fields.ts';
import { resourceField, wholeUnits } from '../../src/containers/resource-fields.ts';
import { makePod } from '../../testing/pod-maker.ts';

const pod = makePod('web', {
  uid: 'u-1',
  metadata: {
    labels: { tier: 'front', app: 'web', 'example.com/part': 'x' },
    annotations: { 'Example.com/Note': 'two\nlines "quoted" \u0001 ü', empty: '' },
  },
  spec: {
    initContainers: [{ name: 'setup', resources: { limits: { memory: '1Mi' } } }],
    containers: [
      {
        name: 'main',
        resources: {
          requests: { cpu: '57m', memory: '100M' },
          limits: { cpu: '1100m', memory: '64Mi', 'hugepages-2Mi': '4Mi' },
        },
      },
      { name: 'bare' },
    ],
  },
});
const addresses = { hostIps: ['10.0.0.1', 'fd00::1'], podIps: ['10.1.0.7', 'fd00::7'] };

describe('fields of pods', () => {
  const texts: readonly (readonly [string, string])[] = [
    ['metadata.name', 'web'],
    ['metadata.namespace', 'default'],
    ['metadata.uid', 'u-1'],
    ['metadata.labels', 'app="web"\nexample.com/part="x"\ntier="front"'],
    ['metadata.annotations', 'Example.com/Note="two\\nlines \\"quoted\\" \\x01 ü"\nempty=""'],
    ["metadata.labels['app']", 'web'],
    ["metadata.labels['example.com/part']", 'x'],
    ["metadata.labels['none']", ''],
    ["metadata.labels['constructor']", ''],
    ["metadata.annotations['Example.com/Note']", 'two\nlines "quoted" \u0001 ü'],
    ['spec.nodeName', 'edge-1'],
    ['spec.serviceAccountName', 'default'],
    ['status.hostIP', '10.0.0.1'],
    ['status.hostIPs', '10.0.0.1,fd00::1'],
    ['status.podIP', '10.1.0.7'],
    ['status.podIPs', '10.1.0.7,fd00::7'],
  ];
  for (const [fieldPath, text] of texts) {
    it(`shows ${fieldPath}`, () => assert.equal(podField(pod, { fieldPath }, addresses), text));
  }

  it('shows nothing where there is nothing', () => {
    const bare = makePod('bare', { spec: { containers: [{ name: 'main' }] } });
    assert.equal(podField(bare, { fieldPath: 'metadata.labels' }), '');
    assert.equal(podField(bare, { fieldPath: 'status.podIP' }), '');
  });

  const refused: readonly (readonly [string, string, string?])[] = [
    ['spec.containers', 'field label not supported: spec.containers'],
    ["metadata.name['x']", "field label does not support subscript: metadata.name['x']"],
    ["metadata.labels['Example.com/part']", "invalid key subscript in metadata.labels['Example.com/part']"],
    ["metadata.labels['']", "invalid key subscript in metadata.labels['']"],
    ["metadata.annotations['a b']", "invalid key subscript in metadata.annotations['a b']"],
    ['metadata.name', 'unsupported pod version: v2', 'v2'],
  ];
  for (const [fieldPath, message, apiVersion] of refused) {
    it(`refuses ${fieldPath} ${apiVersion ?? ''}`, () =>
      assert.throws(
        () => podField(pod, { fieldPath, ...(apiVersion !== undefined && { apiVersion }) }),
        (error) => error instanceof FieldError && error.message === message,
      ));
  }
});

describe('fields of resources', () => {
  const allocatable = { cpu: '1900m', memory: '2000Ki', 'ephemeral-storage': '1000001' };
  const texts: readonly (readonly [string, string, string | number | undefined, string])[] = [
    ['main', 'limits.cpu', undefined, '2'],
    ['main', 'limits.cpu', '1m', '1100'],
    ['main', 'limits.cpu', '0', '2'],
    ['main', 'requests.cpu', '1m', '57'],
    ['main', 'requests.cpu', 1, '1'],
    ['main', 'limits.memory', undefined, '67108864'],
    ['main', 'limits.memory', '1Mi', '64'],
    ['main', 'requests.memory', '1Mi', '96'],
    ['main', 'requests.memory', '1k', '100000'],
    ['main', 'limits.hugepages-2Mi', '1Mi', '4'],
    ['main', 'requests.hugepages-2Mi', '1Mi', '0'],
    ['main', 'limits.ephemeral-storage', '1k', '1001'],
    ['bare', 'limits.cpu', '1m', '1900'],
    ['bare', 'limits.memory', '1Ki', '2000'],
    ['bare', 'requests.cpu', '1m', '0'],
    ['setup', 'limits.memory', '1Mi', '1'],
  ];
  for (const [containerName, resource, divisor, text] of texts) {
    it(`shows ${resource} of ${containerName} by ${divisor}`, () =>
      assert.equal(
        resourceField(
          pod,
          { containerName, resource, ...(divisor !== undefined && { divisor }) },
          allocatable,
        ),
        text,
      ));
  }

  it('takes the container of the variable where none is named', () => {
    const own = pod.spec.containers[0];
    assert.equal(resourceField(pod, { resource: 'limits.memory' }, allocatable, own), '67108864');
  });

  const refused: readonly (readonly [string, string, string])[] = [
    ['main', 'limits.pods', 'Unsupported container resource : limits.pods'],
    ['main', 'cpu', 'Unsupported container resource : cpu'],
    ['gone', 'limits.cpu', 'container gone not found'],
  ];
  for (const [containerName, resource, message] of refused) {
    it(`refuses ${resource} of ${containerName}`, () =>
      assert.throws(() => resourceField(pod, { containerName, resource }, allocatable), { message }));
  }

  const quantities: readonly (readonly [string | number, bigint])[] = [
    ['0', 0n],
    [1024, 1024n],
    ['1.5Gi', 1_610_612_736n],
    ['.5', 1n],
    ['5.', 5n],
    ['100m', 1n],
    ['1n', 1n],
    ['12e6', 12_000_000n],
    ['1E3', 1000n],
    ['2E', 2_000_000_000_000_000_000n],
    ['9007199254740993', 9_007_199_254_740_993n],
    ['-1500m', -1n],
  ];
  for (const [quantity, units] of quantities) {
    it(`reads ${quantity}`, () => assert.equal(wholeUnits(quantity), units));
  }
  for (const text of ['', '.', 'Mi', '1Xi', '1 Mi', '1e999']) {
    it(`reads no quantity from '${text}'`, () => assert.throws(() => wholeUnits(text), FieldError));
  }
});

describe('quotes of Go', () => {
  const texts: readonly (readonly [string, string])[] = [
    ['', '""'],
    ['a\tb\\c"d', '"a\\tb\\\\c\\"d"'],
    ['\u0007\b\f\n\r\v', '"\\a\\b\\f\\n\\r\\v"'],
    ['\u007f\u0000', '"\\x7f\\x00"'],
    ['\u00a0\u200b', '"\\u00a0\\u200b"'],
    ['☺日本 😀', '"☺日本 😀"'],
    ['\u{e0001}', '"\\U000e0001"'],
    ["it's", `"it's"`],
  ];
  for (const [text, quoted] of texts) {
    it(`writes ${quoted}`, () => assert.equal(quoteGo(text), quoted));
  }
});
