import assert from 'node:assert/strict';
import type { OutgoingFrame, UpstreamAck } from '@hawser/proto';
import { FakeClock } from '@hawser/seams/testing';
import { Outbox, UpstreamSession, type OutboxLimits } from '../../src/index.ts';
import { MemoryDisk, MemoryOutboxStore } from '../../testing/index.ts';
import { settle } from '../settle.ts';

/** The largest jitter there is, so that waits are known. */
const NO_LUCK = { next: () => 1 - Number.EPSILON };

/** An outbox, its disk, and a hub whose answers the test gives. */
export class OutboxSite {
  readonly clock = new FakeClock();
  readonly disk: MemoryDisk;
  readonly store: MemoryOutboxStore;
  readonly outbox: Outbox;
  readonly refused: [string, number][] = [];
  readonly asked: string[][] = [];
  /** What a write waits for. */
  flush: () => Promise<void> = () => Promise.resolve();
  writes = 0;
  /** What came to the hub in the present session: sequence, key as its body says, text. */
  sent: { readonly sequence: number; readonly text: string }[] = [];
  session: UpstreamSession | undefined;

  constructor(limits: Partial<OutboxLimits> = {}, disk = new MemoryDisk()) {
    this.disk = disk;
    this.store = new MemoryOutboxStore({
      disk,
      flush: () => {
        this.writes += 1;
        return this.flush();
      },
    });
    this.outbox = new Outbox({
      store: this.store,
      limits,
      clock: this.clock,
      random: NO_LUCK,
      onRefused: ({ key }, { status }) => this.refused.push([key, status]),
      onReportRequest: (kinds) => this.asked.push([...kinds]),
    });
  }

  put(key: string, text: string, keep = true): void {
    this.outbox.put({ key, kind: key.split('/')[0] ?? '', body: Buffer.from(`${key}=${text}`), keep });
  }

  async connect(): Promise<void> {
    this.sent = [];
    const sent = this.sent;
    this.session = new UpstreamSession((frame: OutgoingFrame) => {
      assert.ok('upstream' in frame);
      const { sequence = 0, body = new Uint8Array(0) } = frame.upstream;
      sent.push({ sequence, text: Buffer.from(body).toString('utf8') });
      return Promise.resolve();
    });
    this.outbox.attach(this.session);
    await settle();
  }

  async answer(sequence: number, ack: Partial<UpstreamAck> = {}): Promise<void> {
    assert.ok(this.session !== undefined);
    const nothing = { status: 0, message: '', retryAfterMs: 0, body: new Uint8Array(0) };
    this.session.onAck({ ...nothing, ...ack, sequence });
    await settle();
  }

  get texts(): string[] {
    return this.sent.map(({ text }) => text);
  }

  get onDisk(): string[] {
    return [...this.disk.outbox.values()].map(({ body }) => Buffer.from(body).toString('utf8'));
  }

  /** The power goes; what comes up has the same disk. */
  powerCut(limits: Partial<OutboxLimits> = {}): OutboxSite {
    this.store.cut();
    return new OutboxSite(limits, this.disk);
  }
}
