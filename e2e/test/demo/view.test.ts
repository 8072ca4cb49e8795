import assert from 'node:assert/strict';
import { newsBetween } from '../../src/demo/news.ts';
import type { DemoState, EdgeRow } from '../../src/demo/state.ts';
import { bytes, renderView } from '../../src/demo/view.ts';

const EDGE: EdgeRow = {
  ...{ name: 'edge-1', ready: true, session: 'up', transport: 'ws', roundTripMs: 0.81 },
  ...{ up: 1_234_567, down: 345_678, upPerSecond: 120, downPerSecond: 0, pool: 'leader' },
};

function state(more: Partial<DemoState> = {}): DemoState {
  const pod = { node: 'edge-1', status: 'Running', ready: true, restarts: 0, ip: '10.213.1.2' };
  const device = { device: 'oven-1', node: 'edge-1', state: 'online' };
  return {
    elapsedMs: 67_890,
    steps: [
      { name: 'start', state: 'done' },
      { name: 'join', state: 'now' },
      { name: 'run', state: 'open' },
    ],
    edges: [
      EDGE,
      {
        ...{ name: 'edge-2', ready: false, session: 'waiting', why: 'ERR_TUNNEL_DIAL' },
        ...{ up: 999, down: 1000, upPerSecond: 0, downPerSecond: 0, pool: 'STALE' },
      },
    ],
    pods: [
      { ...pod, name: 'line-reader-zzkqmlwdlf-7ctrm' },
      { ...pod, name: 'line-reader-zzkqmlwdlf-smcq7', restarts: 2 },
    ],
    devices: [
      { ...device, property: 'temperature', reported: '231' },
      { ...device, property: 'setpoint', desired: '200', reported: '180' },
    ],
    pool: { name: 'hawser-demo', leader: 'edge-1', epoch: 2, members: 2, live: 1 },
    log: ['', 'A node joins', '    3.6 s  ✔ joined after 90 ms'],
    hints: [],
    ...more,
  };
}

function texts(shown: DemoState, columns = 80, rows = 24): readonly string[] {
  return renderView(shown, { columns, rows }).map(({ text }) => text);
}

describe('the view of the demonstration', () => {
  it('shows everything at 80 by 24', () => {
    assert.deepEqual(texts(state()), [
      'Hawser   1:07   join   Ctrl-C ends it',
      '✔start ▸join  run',
      'EDGE    NODE      TUNNEL   BY  RTT ms  UP/s  DOWN/s    UP  DOWN  POOL',
      'edge-1  Ready     up       ws     0.8   120       0  1.2M  346k  leader',
      'edge-2  NotReady  waiting  -        -     0       0   999  1.0k  STALE',
      'POD                           NODE    STATUS   RESTARTS  IP',
      'line-reader-zzkqmlwdlf-7ctrm  edge-1  Running         0  10.213.1.2',
      'line-reader-zzkqmlwdlf-smcq7  edge-1  Running         2  10.213.1.2',
      'DEVICE  AT      STATE   PROPERTY     DESIRED  REPORTED',
      'oven-1  edge-1  online  temperature        -       231',
      'oven-1  edge-1  online  setpoint         200       180',
      'POOL  hawser-demo: leader edge-1, epoch 2, 1 of 2 members up to date',
      'EVENTS',
      '',
      'A node joins',
      '    3.6 s  ✔ joined after 90 ms',
      ...Array.from({ length: 8 }, () => ''),
    ]);
  });

  it('says in red what is not well, and nothing else', () => {
    const red = renderView(state(), { columns: 80, rows: 24 }).filter(({ tone }) => tone === 'bad');
    assert.deepEqual(
      red.map(({ text }) => text.split(' ')[0]),
      ['edge-2', 'POOL'],
    );
  });

  it('has as many lines as there are rows, none longer than the columns, at every size', () => {
    const edges = Array.from({ length: 20 }, (_, index) => ({ ...EDGE, name: `edge-${index + 1}` }));
    const log = Array.from({ length: 100 }, (_, index) => `event ${index} ${'x'.repeat(index * 3)}`);
    const hints = Array.from({ length: 7 }, (_, index) => `kubectl ${index} ${'y'.repeat(100)}`);
    for (const shown of [
      state(),
      state({ edges, log, hints }),
      state({ edges: [], pods: [], pool: undefined }),
    ])
      for (let rows = 1; rows <= 60; rows += 1)
        for (const columns of [1, 20, 40, 79, 80, 200]) {
          const lines = texts(shown, columns, rows);
          assert.equal(lines.length, rows);
          for (const line of lines) assert.ok(line.length <= columns, `${columns} columns: ${line}`);
        }
  });

  it('counts the edges that do not fit, and keeps hints and the last events in sight', () => {
    const edges = Array.from({ length: 20 }, (_, index) => ({ ...EDGE, name: `edge-${index + 1}` }));
    const hints = ['export KUBECONFIG=/tmp/kubeconfig', 'kubectl get nodes'];
    const log = Array.from({ length: 100 }, (_, index) => `event ${index}`);
    const lines = texts(state({ edges, hints, log }));
    const shown = lines.filter((line) => /^edge-\d+ /.test(line)).length;
    assert.ok(shown >= 1);
    assert.ok(lines.includes(`  … and ${20 - shown} more`), lines.join('\n'));
    for (const hint of hints) assert.ok(lines.includes(`  ${hint}`));
    assert.equal(lines.at(-1), 'event 99');
  });

  it('says that it is running when all parts are over, also those that were left out', () => {
    const steps = [
      { name: 'start', state: 'done' },
      { name: 'leader', state: 'left-out' },
    ] as const;
    const [title, line] = texts(state({ steps }));
    assert.equal(title, 'Hawser   1:07   running   Ctrl-C ends it');
    assert.equal(line, '✔start –leader');
  });

  it('keeps the part that is under way in sight where the line is too short for all', () => {
    const names = ['start', 'join', 'run', 'change', 'device', 'cut'];
    const steps = names.map((name, index) => ({
      name,
      state: index < 4 ? ('done' as const) : index === 4 ? ('now' as const) : ('open' as const),
    }));
    assert.equal(texts(state({ steps }), 30)[1], '✔4 of 6 ▸device  cut');
  });

  it('does not let texts from elsewhere move the cursor', () => {
    const devices = [{ device: 'a\u001b[2Jb\nc', node: 'n', state: 's', property: 'p' }];
    for (const line of texts(state({ devices, log: ['\u001b[31mred'] })))
      // eslint-disable-next-line no-control-regex -- these are the ones that must not be there
      assert.doesNotMatch(line, /[\u0000-\u001f]/);
  });

  it('writes bytes in five characters', () => {
    const written = [0, 999, 1000, 9949, 9951, 999_499, 999_500, 123_456_789, 5_000_000_000].map(bytes);
    assert.deepEqual(written, ['0', '999', '1.0k', '9.9k', '10k', '999k', '1.0M', '123M', '5.0G']);
  });
});

describe('the news of the demonstration', () => {
  it('are what has changed between two looks, and nothing where nothing has', () => {
    const before = state();
    assert.deepEqual(newsBetween(before, { ...before, elapsedMs: 99_999 }), []);
    const [first = EDGE, second = EDGE] = before.edges;
    const [pod, gone] = before.pods;
    assert.ok(pod !== undefined && gone !== undefined);
    const after = state({
      edges: [
        { ...first, session: 'waiting', why: 'ERR_TUNNEL_DIAL', ready: false },
        { ...second, session: 'up', transport: 'quic', upPerSecond: 10 },
      ],
      pods: [{ ...pod, restarts: 1 }],
      devices: before.devices.map((line) =>
        line.property === 'setpoint' ? { ...line, reported: '200' } : { ...line, reported: '232' },
      ),
      pool: { name: 'hawser-demo', leader: '', epoch: 2, members: 2, live: 1 },
    });
    assert.deepEqual(newsBetween(before, after), [
      'edge-1: tunnel waiting (ERR_TUNNEL_DIAL)',
      'edge-1: Node NotReady',
      'edge-2: tunnel up by quic',
      'line-reader-zzkqmlwdlf-7ctrm: restarted, 1 so far',
      'line-reader-zzkqmlwdlf-smcq7: gone',
      'oven-1: setpoint is 200',
      'pool hawser-demo: no leader, epoch 2',
    ]);
  });
});
