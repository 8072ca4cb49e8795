import type { GoldenAction } from './golden-script.ts';

function configMap(name: string, text: string): GoldenAction {
  const metadata = { name, namespace: 'default', resourceVersion: String(text.length), uid: `uid-${name}` };
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { text } };
  return { do: 'put', resource: 'configmaps', object };
}

const LONG = 'a line that is repeated, and so worth a delta\n'.repeat(40);
const MANY = Array.from({ length: 300 }, (_, index) => `many-${index}`);
const FEW = Array.from({ length: 12 }, (_, index) => `few-${index}`);

/** What is recorded, by file. Frames come in between. */
export const GOLDEN_SESSIONS: Readonly<Record<string, readonly GoldenAction[]>> = {
  'session-1/first-sync-and-deltas.json': [
    ...['a', 'b', 'c'].map((name) => configMap(name, `${name} ${LONG}`)),
    { do: 'open' },
    'a first sync brings all',
    configMap('a', `a changed ${LONG}`),
    configMap('d', 'new'),
    'a change and a new object',
    { do: 'remove', key: 'configmaps/default/b' },
    'a removal',
    { do: 'open' },
    'nothing travels where nothing changed',
  ],
  'session-1/small-inventory.json': [
    ...['a', 'b', 'c', 'd'].map((name) => configMap(name, `${name} ${LONG}`)),
    { do: 'open' },
    'all is there',
    configMap('b', `b changed ${LONG}`),
    { do: 'remove', key: 'configmaps/default/c' },
    { do: 'open' },
    'two differences',
  ],
  'session-1/bucketed-inventory.json': [
    ...MANY.map((name) => configMap(name, name)),
    { do: 'open' },
    'all is there',
    { do: 'advance', ms: 61_000 },
    configMap('many-7', 'changed'),
    { do: 'remove', key: 'configmaps/default/many-8' },
    { do: 'open' },
    'two differences in many',
  ],
  'session-1/mass-removal.json': [
    ...FEW.map((name) => configMap(name, name)),
    { do: 'open' },
    'all is there',
    ...FEW.slice(0, 10).map((name) => ({ do: 'remove', key: `configmaps/default/${name}` }) as const),
    'most are held back',
    configMap('few-0', 'wanted again'),
    'one comes back',
    { do: 'advance', ms: 31_000 },
    'the rest is confirmed',
  ],
  'session-1/upstream.json': [
    { do: 'open' },
    { do: 'say', kind: 'node', key: 'node', body: { labels: { a: 'b' }, status: {} } },
    { do: 'say', kind: 'pod', key: 'pod/default/p/u', body: { name: 'p', status: { phase: 'Running' } } },
    'what was said is taken',
    { do: 'say', kind: 'event', key: 'event/1', body: { reason: 'Started' } },
    { do: 'say', kind: 'report', key: 'report/1', body: { code: 'ERR', message: 'm' } },
    'one is refused, one is put off',
    { do: 'advance', ms: 60_000 },
    'and said again',
  ],
};
