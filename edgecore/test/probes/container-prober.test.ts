import assert from 'node:assert/strict';
import { FakeClock } from '@hawser/seams/testing';
import { makePod } from '../../testing/pod-maker.ts';
import type { PodContainer } from '../../src/pods/pod.ts';
import { ContainerProber, type ProbeKind, type SeenAs } from '../../src/probes/container-prober.ts';

/** What a table row says of a container, and what is to become of it. */
interface Row {
  readonly container: Partial<PodContainer>;
  readonly ageSeconds?: number;
  readonly seenAs?: SeenAs;
  /** Whether a probe passes, at a second after it was seen; undefined: nothing is found out. */
  readonly passes?: (kind: ProbeKind, second: number) => boolean | undefined;
  /** Seconds that it takes. */
  readonly takes?: number;
  readonly deletedAt?: number;
  readonly until: number;
  /** When each one was asked, in seconds with one digit. */
  readonly asked: Partial<Record<ProbeKind, readonly number[]>>;
  /** Second and verdict, whenever it is another one: `S` started, `R` ready, `K` to be killed, `-` neither. */
  readonly verdicts: readonly (readonly [second: number, verdict: string])[];
}

const tcp = { tcpSocket: { port: 1 } };

const TABLE: Readonly<Record<string, Row>> = {
  'has started and is ready where nothing is asked': {
    container: {},
    until: 60,
    asked: {},
    verdicts: [[0, 'SR']],
  },
  'is ready when it says so: tried early, then once a period': {
    container: { readinessProbe: tcp },
    until: 35,
    asked: { Readiness: [0.3, 10, 20, 30] },
    verdicts: [
      [0, 'S'],
      [0.3, 'SR'],
    ],
  },
  'is tried early until it is ready, and early failures do not count': {
    container: { readinessProbe: { ...tcp, failureThreshold: 1 } },
    passes: (_kind, second) => second >= 2,
    until: 25,
    asked: { Readiness: [0.3, 1, 3, 10, 20] },
    verdicts: [
      [0, 'S'],
      [3, 'SR'],
    ],
  },
  'is asked after the initial delay, counted from its start': {
    container: { readinessProbe: { ...tcp, initialDelaySeconds: 7, periodSeconds: 5 } },
    ageSeconds: 2,
    until: 20,
    asked: { Readiness: [5, 10, 15, 20] },
    verdicts: [
      [0, 'S'],
      [5, 'SR'],
    ],
  },
  'is not ready after as many failures as may be, and ready again': {
    container: { readinessProbe: { ...tcp, initialDelaySeconds: 1, periodSeconds: 2, successThreshold: 2 } },
    passes: (_kind, second) => second < 10 || second > 18,
    until: 26,
    asked: { Readiness: [1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25] },
    verdicts: [
      [0, 'S'],
      [3, 'SR'],
      [15, 'S'],
      [21, 'SR'],
    ],
  },
  'is killed when it is not alive, and asked no more': {
    container: {
      livenessProbe: { ...tcp, periodSeconds: 2, terminationGracePeriodSeconds: 5 },
      readinessProbe: { ...tcp, initialDelaySeconds: 1, periodSeconds: 10 },
    },
    passes: (kind, second) => kind === 'Readiness' || second < 5,
    until: 60,
    asked: { Liveness: [2, 4, 6, 8, 10], Readiness: [1] },
    verdicts: [
      [0, 'S'],
      [1, 'SR'],
      [10, 'SRK5'],
    ],
  },
  'is asked whether it has started, and nothing else before that': {
    container: {
      startupProbe: { ...tcp, periodSeconds: 5, failureThreshold: 10 },
      livenessProbe: { ...tcp, periodSeconds: 10 },
      readinessProbe: { ...tcp, initialDelaySeconds: 30, periodSeconds: 10 },
    },
    passes: (kind, second) => kind !== 'Startup' || second > 12,
    until: 50,
    asked: { Startup: [0.3, 1, 3, 5, 10, 15], Liveness: [15, 25, 35, 45], Readiness: [30, 40, 50] },
    verdicts: [
      [0, '-'],
      [15, 'S'],
      [30, 'SR'],
    ],
  },
  'is killed when it does not start in time': {
    container: { startupProbe: { ...tcp, periodSeconds: 5, failureThreshold: 3 }, livenessProbe: tcp },
    passes: () => false,
    until: 60,
    asked: { Startup: [0.3, 1, 3, 5, 10, 15] },
    verdicts: [
      [0, '-'],
      [15, '-K'],
    ],
  },
  'does not count what was not found out': {
    container: { livenessProbe: { ...tcp, periodSeconds: 5, failureThreshold: 2 } },
    passes: (_kind, second) => (second % 2 === 0 ? undefined : second < 20),
    until: 40,
    asked: { Liveness: [5, 10, 15, 20, 25, 30, 35] },
    verdicts: [
      [0, 'SR'],
      [35, 'SRK'],
    ],
  },
  'is never asked twice at a time': {
    container: { livenessProbe: { ...tcp, initialDelaySeconds: 1, periodSeconds: 1 } },
    takes: 3,
    until: 11,
    asked: { Liveness: [1, 4, 7, 10] },
    verdicts: [[0, 'SR']],
  },
  'of an edge core before stays ready until it says something else, and is asked within a period': {
    container: { startupProbe: tcp, livenessProbe: tcp, readinessProbe: { ...tcp, failureThreshold: 2 } },
    ageSeconds: 1000,
    seenAs: { started: true, ready: true },
    passes: (kind, second) => kind !== 'Readiness' || second < 20,
    until: 30,
    asked: { Liveness: [5, 15, 25], Readiness: [5, 15, 25] },
    verdicts: [[0, 'SR']],
  },
  'of an edge core before that was not ready is not ready': {
    container: { readinessProbe: tcp },
    ageSeconds: 1000,
    seenAs: { started: true, ready: false },
    until: 10,
    asked: { Readiness: [5] },
    verdicts: [
      [0, 'S'],
      [5, 'SR'],
    ],
  },
  'of which nothing is known, though it is old, is asked first': {
    container: { startupProbe: tcp, readinessProbe: tcp },
    ageSeconds: 1000,
    until: 10,
    asked: { Startup: [5], Readiness: [5] },
    verdicts: [
      [0, '-'],
      [5, 'S'],
      [5, 'SR'],
    ],
  },
  'of a pod that is to end is asked for readiness alone, and is killed by nobody else': {
    container: {
      livenessProbe: { ...tcp, periodSeconds: 2 },
      readinessProbe: { ...tcp, initialDelaySeconds: 1, periodSeconds: 4, failureThreshold: 1 },
    },
    passes: (_kind, second) => second < 8,
    deletedAt: 7,
    until: 20,
    asked: { Liveness: [2, 4, 6], Readiness: [1, 5, 9, 13, 17] },
    verdicts: [
      [0, 'S'],
      [1, 'SR'],
      [9, 'S'],
    ],
  },
};

describe('ContainerProber', () => {
  for (const [what, row] of Object.entries(TABLE)) {
    it(`finds that a container ${what}`, async () => {
      const clock = new FakeClock();
      const pod = makePod('a');
      const asked: Partial<Record<ProbeKind, number[]>> = {};
      const verdicts: [number, string][] = [];
      const second = (): number => Math.round(clock.monotonicMs() / 100) / 10;
      const look = (): void => {
        const { started, ready, kill } = prober.verdict();
        const text = `${started ? 'S' : '-'}${ready ? 'R' : ''}${kill === undefined ? '' : 'K'}${kill?.graceSeconds ?? ''}`;
        if (verdicts.at(-1)?.[1] !== text) verdicts.push([second(), text]);
      };
      const prober: ContainerProber = new ContainerProber({
        pod,
        container: { name: 'main', ...row.container },
        containerId: 'c1',
        ageMs: (row.ageSeconds ?? 0) * 1000,
        seenAs: row.seenAs,
        ask: async ({ kind }) => {
          const at = second();
          (asked[kind] ??= []).push(at);
          if (row.takes !== undefined)
            await new Promise<void>((done) => clock.setTimer((row.takes ?? 0) * 1000, done));
          const passed = row.passes === undefined ? true : row.passes(kind, at);
          return passed === undefined ? undefined : { result: passed ? 'success' : 'failure', output: '' };
        },
        after: (delayMs, callback) => clock.setTimer(delayMs, callback),
        monotonicMs: () => clock.monotonicMs(),
        random: { next: () => 0.5 },
        onVerdict: look,
      });
      look();
      prober.start();
      if (row.deletedAt !== undefined) {
        await clock.advance(row.deletedAt * 1000);
        prober.update({ ...pod, metadata: { ...pod.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } });
      }
      await clock.advance(row.until * 1000 - clock.monotonicMs());
      prober.stop();
      prober.stop();
      assert.deepEqual(asked, row.asked);
      assert.deepEqual(verdicts, row.verdicts);
      if (row.takes === undefined) assert.equal(clock.pendingTimers, 0);
    });
  }

  it('says what is to be said when a container is killed', async () => {
    for (const [field, message] of [
      ['livenessProbe', 'Container main failed liveness probe'],
      ['startupProbe', 'Container main failed startup probe'],
    ] as const) {
      const clock = new FakeClock();
      const prober = new ContainerProber({
        pod: makePod('a'),
        container: { name: 'main', [field]: { ...tcp, failureThreshold: 1 } },
        containerId: 'c1',
        ageMs: 0,
        seenAs: undefined,
        ask: () => Promise.resolve({ result: 'failure', output: '' }),
        after: (delayMs, callback) => clock.setTimer(delayMs, callback),
        monotonicMs: () => clock.monotonicMs(),
        random: { next: () => 0 },
        onVerdict: () => {},
      });
      prober.start();
      await clock.advance(10_000);
      assert.deepEqual(prober.verdict().kill, { message });
      prober.stop();
    }
  });
});
