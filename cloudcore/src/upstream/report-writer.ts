import { createHash } from 'node:crypto';
import type { UpstreamBodies } from '@hawser/sync';
import type { EventWriter } from './event-writer.ts';
import type { UpstreamOutcome } from './upstream-handler.ts';
import type { Origin, WriterContext } from './upstream-task.ts';

const COMPONENT = 'hawser-edgecore';
/** What is good to know, and no trouble. Everything else that an edge finds worth a report is a warning. */
const NORMAL = new Set(['Started', 'Restarted', 'Recovered']);

/** Shows what an edge says of itself: in the log, and as an Event at its Node. */
export class ReportWriter {
  readonly #context: WriterContext;
  readonly #events: EventWriter;

  constructor(context: WriterContext, events: EventWriter) {
    this.#context = context;
    this.#events = events;
  }

  /**
   * Durable once the Event is. The same report again (code, message, time) makes no second one.
   * @throws StatusError, ClientError
   */
  async write(origin: Origin, { code, message, at }: UpstreamBodies['report']): Promise<UpstreamOutcome> {
    const type = NORMAL.has(code) ? 'Normal' : 'Warning';
    const id = createHash('sha256')
      .update(JSON.stringify([code, message, at]))
      .digest('hex');
    const outcome = await this.#events.write(origin, {
      id,
      regarding: { apiVersion: 'v1', kind: 'Node', name: origin.node },
      type,
      reason: code,
      message,
      count: 1,
      firstTimestamp: at,
      lastTimestamp: at,
      component: COMPONENT,
    });
    this.#context.metrics.reports.inc({ type });
    this.#context.log[type === 'Warning' ? 'warn' : 'info'](
      { node: origin.node, code, at },
      `edge reports: ${message}`,
    );
    return outcome;
  }
}
