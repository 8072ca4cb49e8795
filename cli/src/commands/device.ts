import { AdminClient, type DeviceView } from '@hawser/edgecore/admin';
import { delay } from '@hawser/seams';
import type { CommandContext } from '../command-context.ts';
import { deviceText } from '../devices/device-text.ts';
import { findEdge, type EdgeOptions } from '../edge/edge-place.ts';
import { CliError } from '../errors.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';

/** Options of `hawser device …`. */
export interface DeviceOptions extends EdgeOptions {
  readonly namespace: string;
}

/** Options of `hawser device get`. */
export interface DeviceGetOptions extends DeviceOptions {
  /** Have the mapper read now. */
  readonly fresh?: boolean;
}

/** Options of `hawser device set`. */
export interface DeviceSetOptions extends DeviceOptions {
  /** Seconds to wait until the mapper says what became of it; 0: none. */
  readonly wait: number;
}

const LOOK_MS = 100;
/** Source: ECMA-48, ED and CUP. */
const CLEAR_SCREEN = '\x1b[2J\x1b[H';

/** Shows a device with its twins, or the value of one property alone; needs no cloud. */
export async function deviceGet(
  context: CommandContext,
  name: string,
  property: string | undefined,
  options: DeviceGetOptions,
): Promise<ExitCode | undefined> {
  const { socket } = await findEdge(options);
  const client = new AdminClient({ socket, timeoutMs: 30_000 });
  if (options.fresh === true) {
    const wanted = property === undefined ? [] : [property];
    const { values } = await client.readDevice(options.namespace, name, wanted, context.signal);
    const lines = Object.entries(values).map(([key, value]) => `${key}=${value}`);
    context.result({ values }, property === undefined ? lines.join('\n') : (values[property] ?? ''));
    return undefined;
  }
  const view = await client.device(options.namespace, name, context.signal);
  if (property === undefined) {
    context.result(view, deviceText(view, Date.now()));
    return undefined;
  }
  const twin = twinOf(view, property);
  if (twin.reported === undefined) {
    const message = `${name} has not reported ${property} yet; the device is ${view.state}`;
    throw new CliError('ERR_CLI_NOT_FOUND', message, {
      remedy: 'See `hawser device get` for what is known of the device.',
    });
  }
  context.result(twin, twin.reported.value);
  return undefined;
}

/** Sets properties, and waits for what the mapper says; needs no cloud. */
export async function deviceSet(
  context: CommandContext,
  name: string,
  settings: readonly string[],
  options: DeviceSetOptions,
): Promise<ExitCode | undefined> {
  const values = Object.fromEntries(settings.map(readSetting));
  const { socket } = await findEdge(options);
  const client = new AdminClient({ socket });
  let view = await client.setDevice(options.namespace, name, values, context.signal);
  const untilMs = Date.now() + options.wait * 1000;
  while (unsettled(view, values).length > 0 && Date.now() < untilMs) {
    await delay(LOOK_MS, { signal: context.signal });
    view = await client.device(options.namespace, name, context.signal);
  }
  const waiting = unsettled(view, values);
  const failed = Object.keys(values).filter((key) => twinOf(view, key).expected?.settled?.ok === false);
  const lines = Object.keys(values).map((key) => settlement(view, key));
  context.result(view, lines.join('\n'));
  return failed.length > 0 || (waiting.length > 0 && options.wait > 0) ? EXIT.degraded : undefined;
}

/** Shows a device again whenever it changes, until Ctrl-C; needs no cloud. */
export async function deviceWatch(
  context: CommandContext,
  name: string,
  options: DeviceOptions,
): Promise<ExitCode | undefined> {
  const { socket } = await findEdge(options);
  const views = new AdminClient({ socket }).watchDevice(options.namespace, name, context.signal);
  for await (const view of views) {
    const clear = context.screen && context.format === 'text' ? CLEAR_SCREEN : '';
    context.result(view, clear + deviceText(view, Date.now()));
  }
  context.progress(`${name} is not a device of this node any more`);
  return undefined;
}

function readSetting(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  throw new CliError('ERR_CLI_USAGE', `${text} is not property=value`, {
    remedy: 'As in: hawser device set pump-1 speed=1200',
  });
}

function twinOf(view: DeviceView, property: string): DeviceView['twins'][number] {
  const twin = view.twins.find((each) => each.property === property);
  if (twin !== undefined) return twin;
  const known = view.twins.map((each) => each.property).join(', ');
  const message = `${view.name} has no property ${property}`;
  throw new CliError('ERR_CLI_NOT_FOUND', message, {
    remedy: known === '' ? 'It has none.' : `It has: ${known}.`,
  });
}

function unsettled(view: DeviceView, values: Readonly<Record<string, string>>): readonly string[] {
  return Object.keys(values).filter((key) => twinOf(view, key).expected?.settled === undefined);
}

function settlement(view: DeviceView, property: string): string {
  const { expected } = twinOf(view, property);
  const value = `${property}=${expected?.value ?? ''}`;
  if (expected?.settled === undefined) return `${value}: kept; the mapper has not said yet what became of it`;
  return expected.settled.ok
    ? `${value}: set`
    : `${value}: not set: ${expected.settled.message ?? 'no reason given'}`;
}
