import { described, type ProblemList } from './problem-list.ts';

const PROTOCOL = /^[a-z0-9](?:[-a-z0-9_.]{0,61}[a-z0-9])?$/;

/** Whether a text is the name of a protocol: a label's value of Kubernetes, lower case, one segment of a topic. */
export function isProtocolName(text: string): boolean {
  return PROTOCOL.test(text);
}

/** The name of a protocol, lower case; undefined: none, or a bad one, which is a problem. */
export function readProtocol(list: ProblemList, value: unknown, path: string): string | undefined {
  const text = list.string(value, path);
  if (text === undefined) return undefined;
  const name = text.toLowerCase();
  if (isProtocolName(name)) return name;
  list.add(
    path,
    `must be letters, digits, "-", "_" and ".", at most 63, with a letter or digit at both ends, is ${described(text)}`,
    'Write the name of a mapper’s protocol, as modbus.',
  );
  return undefined;
}
