import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { StreamDuplex } from '@hawser/proto';
import { streamPair } from '@hawser/proto/testing';
import { silentLogger, systemClock } from '@hawser/seams';
import { within } from '@hawser/seams/testing';
import { KubeletApi } from '../../src/kubelet/kubelet-api.ts';
import { StreamServer, type StreamServerOptions } from '../../src/kubelet/stream-server.ts';
import { KubeletStats } from '../../src/kubelet/stats/kubelet-stats.ts';
import type { UpgradeLimits } from '../../src/kubelet/upgrade-proxy.ts';
import type { Machine } from '../../src/node/machine.ts';
import { PodFolders } from '../../src/pods/pod-folders.ts';
import type { Pod } from '../../src/pods/pod.ts';
import type { PodStatus } from '../../src/pods/pod-status-types.ts';
import { FakeRuntime } from './fake-runtime.ts';

/** An answer, read to its end. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

/** The kubelet API behind streams of a tunnel, with a runtime that is not one. */
export class KubeletSite {
  readonly runtime = new FakeRuntime();
  pods: Pod[] = [];
  readonly statuses = new Map<string, PodStatus>();
  readonly api: KubeletApi;
  readonly server: StreamServer;
  /** Ends of the hub of all streams so far. */
  readonly duplexes: StreamDuplex[] = [];

  constructor(
    options: Partial<StreamServerOptions> & {
      limits?: Partial<UpgradeLimits>;
      machine?: Machine;
      root?: string;
      folders?: PodFolders;
    } = {},
  ) {
    const { limits, machine, root, folders, ...rest } = options;
    const clock = rest.clock ?? systemClock;
    const log = rest.log ?? silentLogger;
    const runtime = this.runtime.asRuntime();
    const pods = (): readonly Pod[] => this.pods;
    this.api = new KubeletApi({
      ...{ runtime, pods, clock },
      statusOf: (uid) => this.statuses.get(uid),
      stats: new KubeletStats({
        ...{ node: 'edge-1', runtime, pods, clock },
        machine: machine ?? ({} as Machine), // only statistics read it
        folders: folders ?? new PodFolders({ dataDir: '/nowhere', logRoot: '/nowhere' }),
        ...(root !== undefined && { root }),
      }),
      ...(limits !== undefined && { limits }),
      log,
    });
    this.server = new StreamServer({ handler: this.api, ...rest, log, clock });
  }

  /** A new stream; its end at the hub. */
  open(): StreamDuplex {
    const { near, far } = streamPair();
    this.server.accept(far);
    const duplex = new StreamDuplex(near);
    duplex.on('error', () => {}); // whoever waits for it sees it
    this.duplexes.push(duplex);
    return duplex;
  }

  /** Asks for something, and reads the answer. */
  async get(path: string, method = 'GET'): Promise<Answer> {
    const response = await this.ask(path, method);
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    return { status: response.statusCode ?? 0, headers: response.headers, text };
  }

  /** Asks for something; the answer, to be read. */
  async ask(path: string, method = 'GET'): Promise<IncomingMessage> {
    const asked = request({ path, method, createConnection: () => this.open() });
    asked.end();
    return within(`an answer to ${path}`, responseTo(asked));
  }

  /** Asks for an upgrade; the bytes after it, or the refusal. */
  async upgrade(path: string, protocol = 'SPDY/3.1', headers: readonly string[] = []): Promise<Upgraded> {
    const duplex = this.open();
    const asked = request({
      path,
      method: 'POST',
      headers: [
        'Host',
        'edge-1',
        'Connection',
        'Upgrade',
        'Upgrade',
        protocol,
        ...headers,
        'Content-Length',
        '0',
      ],
      createConnection: () => duplex,
    });
    asked.end();
    return within(
      `an upgrade of ${path}`,
      new Promise((resolve, reject) => {
        asked.on('upgrade', (response, socket, head) => {
          if (head.length > 0) socket.unshift(head);
          resolve({ response, socket });
        });
        asked.on('response', (response) => resolve({ response, socket: undefined }));
        asked.on('error', reject);
      }),
    );
  }

  stop(): void {
    this.api.stop();
    this.server.stop();
    for (const duplex of this.duplexes) duplex.destroy();
  }
}

/** What became of an upgrade. */
export interface Upgraded {
  readonly response: IncomingMessage;
  /** undefined: it was refused. */
  readonly socket: Duplex | undefined;
}

function responseTo(asked: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    asked.on('response', resolve);
    asked.on('error', reject);
  });
}
