import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { NameStore } from './name-store.js';

const STATE_KEY = 'echo/pods';
/** What the programs that it knows do: `pause` goes on until it is told to end. */
const ENDS = { echo: 0, true: 0, false: 1, pause: undefined };

/**
 * What ContainerRuntime asks for, with as little as it takes. Pods are an array of RuntimePod, kept in the state of the
 * edge core, so that they are there after a restart.
 *
 * @implements {import('@hawser/edgecore/runtime').ContainerRuntime}
 */
export class EchoRuntime {
  name = 'echo';
  version = 'echo://0.1.0';
  real = true;
  traits = {
    caution: 'its runtime knows echo, and nothing else',
    usesCgroups: false,
    needsMounts: false,
  };
  images = new NameStore();
  #context;
  /** @type {import('@hawser/edgecore/runtime').RuntimePod[]} */
  #pods = [];
  #listeners = new Set();
  #commands = new Map();

  constructor(context) {
    this.#context = context;
  }

  async start() {
    const kept = await this.#context.state.read(STATE_KEY);
    if (Array.isArray(kept)) this.#pods = kept;
  }

  async stop() {}

  async list() {
    return this.#pods;
  }

  async get(uid) {
    return this.#pods.find((pod) => pod.uid === uid);
  }

  listen(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async conditions() {
    return ['RuntimeReady', 'NetworkReady'].map((type) => ({ type, ok: true, reason: '', message: '' }));
  }

  async createSandbox({ uid, namespace, name, attempt }, signal) {
    signal.throwIfAborted();
    const pod = (await this.get(uid)) ?? { uid, namespace, name, sandboxes: [], containers: [] };
    const present = pod.sandboxes.find((sandbox) => sandbox.attempt === attempt);
    if (present !== undefined) return present.id;
    const ips = this.#context.nodeAddresses().slice(0, 1);
    const sandbox = { id: randomUUID(), attempt, ready: true, createdAtMs: this.#now(), ips };
    await this.#keep({ ...pod, sandboxes: [sandbox, ...pod.sandboxes].sort(byAttempt) });
    return sandbox.id;
  }

  async stopSandbox(id, signal) {
    signal.throwIfAborted();
    const pod = this.#ofSandbox(id);
    if (pod === undefined) return;
    await this.#keep({
      ...pod,
      sandboxes: pod.sandboxes.map((one) => (one.id === id ? { ...one, ready: false, ips: [] } : one)),
      containers: pod.containers.map((one) => (one.sandboxId === id ? this.#ended(one, 137) : one)),
    });
  }

  async removeSandbox(id, signal) {
    signal.throwIfAborted();
    const pod = this.#ofSandbox(id);
    if (pod === undefined) return;
    const sandboxes = pod.sandboxes.filter((one) => one.id !== id);
    const containers = pod.containers.filter(({ sandboxId }) => sandboxId !== id);
    await this.#keep({ ...pod, sandboxes, containers });
  }

  async createContainer(sandboxId, sandbox, config, signal) {
    signal.throwIfAborted();
    const pod = this.#ofSandbox(sandboxId);
    if (pod === undefined) throw notFound(`no sandbox ${sandboxId}`);
    const { name, attempt, image, imageRef, notes } = config;
    const present = pod.containers.find((one) => one.name === name && one.attempt === attempt);
    if (present !== undefined) return present.id;
    const [program = '', ...words] = [...config.command, ...config.args];
    // What cannot be done is refused, with what to do; the pod says so until it is another one.
    if (!(program in ENDS))
      throw new Error(
        `this node knows ${Object.keys(ENDS).join(', ')}, not ${program || 'an image without a command'}`,
      );
    const container = {
      ...{ name, id: randomUUID(), sandboxId, attempt, image, imageId: imageRef, state: 'created' },
      createdAtMs: this.#now(),
      logPath: config.logPath === '' ? '' : path.join(sandbox.logDirectory, config.logPath),
      notes,
    };
    this.#commands.set(container.id, { program, words });
    await this.#keep({ ...pod, containers: [container, ...pod.containers].sort(byAttempt) });
    return container.id;
  }

  async startContainer(id, signal) {
    signal.throwIfAborted();
    const { container } = this.#find(id);
    if (container.state !== 'created') return;
    const { program, words } = this.#commands.get(id);
    if (program === 'echo') await this.#log(container, words.join(' '));
    const running = { ...container, state: 'running', startedAtMs: this.#now() };
    await this.#replace(ENDS[program] === undefined ? running : this.#ended(running, ENDS[program]));
  }

  async stopContainer(id, _graceSeconds, signal) {
    signal.throwIfAborted();
    await this.#replace(this.#ended(this.#find(id).container, 0));
  }

  async removeContainer(id, signal) {
    signal.throwIfAborted();
    const pod = this.#pods.find(({ containers }) => containers.some((one) => one.id === id));
    if (pod !== undefined)
      await this.#keep({ ...pod, containers: pod.containers.filter((one) => one.id !== id) });
    this.#commands.delete(id);
  }

  async exec(id) {
    this.#find(id);
    throw new Error('echo has no commands inside');
  }

  async streamUrl() {
    throw new Error('echo has no streams');
  }

  async reopenLog() {}

  async usage() {
    return [];
  }

  /** One line of a log, as runtimes with CRI write it: then kubectl logs shows it. */
  async #log({ logPath }, text) {
    if (logPath === '') return;
    await mkdir(path.dirname(logPath), { recursive: true });
    const line = `${new Date(this.#now()).toISOString()} stdout F ${this.#context.options.prefix}${text}\n`;
    await writeFile(logPath, line, { flag: 'a' });
  }

  #ended(container, exitCode) {
    if (container.state === 'exited') return container;
    const reason = exitCode === 0 ? 'Completed' : 'Error';
    return { ...container, state: 'exited', finishedAtMs: this.#now(), exitCode, reason };
  }

  #find(id) {
    for (const pod of this.#pods) {
      const container = pod.containers.find((one) => one.id === id);
      if (container !== undefined) return { pod, container };
    }
    throw notFound(`no container ${id}`);
  }

  #ofSandbox(id) {
    return this.#pods.find(({ sandboxes }) => sandboxes.some((one) => one.id === id));
  }

  async #replace(container) {
    const { pod } = this.#find(container.id);
    const containers = pod.containers.map((one) => (one.id === container.id ? container : one));
    await this.#keep({ ...pod, containers });
  }

  /** Keeps first, and tells then. A pod without a sandbox is gone. */
  async #keep(pod) {
    const others = this.#pods.filter(({ uid }) => uid !== pod.uid);
    this.#pods = pod.sandboxes.length === 0 ? others : [...others, pod];
    await this.#context.state.write(STATE_KEY, this.#pods);
    for (const listener of this.#listeners) listener(pod.uid);
  }

  #now() {
    return this.#context.clock.wallMs();
  }
}

function byAttempt(one, other) {
  return other.attempt - one.attempt;
}

/** `notFound` is what makes the edge core know that something is not there. */
function notFound(message) {
  return Object.assign(new Error(message), { code: 'ERR_EDGECORE_RUNTIME', notFound: true });
}
