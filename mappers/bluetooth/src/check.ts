import { canonicalValue, isNumeric } from '@hawser/devices';
import type { DriverProblem, Visit } from '@hawser/mapper-sdk';
import type { BluetoothProtocol, BluetoothVisitor, DataConverter } from './config.ts';
import { readBytes } from './values/data-bytes.ts';
import { widthOf } from './values/number-field.ts';

type BluetoothVisit = Visit<BluetoothVisitor>;
type Found = Omit<DriverProblem, 'property'>;

/** What the SDK gives an open connection in all, less what it takes to get there. */
const OPEN_MS_MAX = 28_000;
const NUMBER_BYTES_MAX = 8;

/** What the schemas cannot say of a device: times together, types of properties, what can be written. */
export function checkDevice(
  { connectTimeoutMs, scanTimeoutMs }: BluetoothProtocol,
  properties: readonly BluetoothVisit[],
): readonly DriverProblem[] {
  const times: DriverProblem[] =
    connectTimeoutMs + scanTimeoutMs <= OPEN_MS_MAX
      ? []
      : [
          {
            path: '/scanTimeoutMs',
            message: `must be <= ${OPEN_MS_MAX - connectTimeoutMs} with connectTimeoutMs ${connectTimeoutMs}, is ${scanTimeoutMs}`,
            remedy: `Both together are at most ${OPEN_MS_MAX} ms; whoever is not found is looked for again.`,
          },
        ];
  const found = properties.flatMap((visit) =>
    [...problemsOf(visit)].map((problem) => ({ ...problem, property: visit.property })),
  );
  return [...times, ...found];
}

function* problemsOf(visit: BluetoothVisit): Iterable<Found> {
  const { type, writable, visitor } = visit;
  const { dataWrite, dataConverter } = visitor;
  const isNumber = isNumeric(type) || type === 'BOOLEAN';
  if (type === 'STREAM')
    yield { path: '', message: 'cannot be a STREAM', remedy: 'Use STRING or BYTES in the model.' };
  yield* namesOf(visit);
  if (dataConverter !== undefined) yield* converterProblems(visit, dataConverter, isNumber);
  if (writable && isNumeric(type) && dataWrite === undefined && dataConverter === undefined)
    yield {
      path: '/dataConverter',
      message: 'is missing: nobody knows how many bytes a number is written with',
      remedy: 'Say `startIndex` and `endIndex`, or name values in `dataWrite`.',
    };
}

function* namesOf({ type, visitor }: BluetoothVisit): Iterable<Found> {
  const seen = new Map<string, string>();
  for (const [name, given] of Object.entries(visitor.dataWrite ?? {})) {
    const path = `/dataWrite/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    const read = readBytes(given);
    if ('problem' in read) yield { path, message: read.problem, remedy: read.remedy };
    const text = canonical(type, name);
    if (text === undefined || type === 'BYTES')
      yield { path, message: `is no value of the type ${type}`, remedy: 'Names are values of the property.' };
    else if (seen.has(text))
      yield { path, message: `is the same value as ${seen.get(text) ?? ''}`, remedy: 'Drop one of the two.' };
    else seen.set(text, name);
  }
}

function canonical(type: Visit['type'], name: string): string | undefined {
  try {
    return canonicalValue(type, name);
  } catch {
    return undefined; // that is the answer: it is no such value
  }
}

function* converterProblems(
  { type, writable }: BluetoothVisit,
  converter: DataConverter,
  isNumber: boolean,
): Iterable<Found> {
  const { shiftLeft, shiftRight, signed, orderOfOperations } = converter;
  const under = (key: string): string => `/dataConverter/${key}`;
  if (!isNumber) {
    for (const [key, given] of Object.entries({
      shiftLeft: shiftLeft > 0,
      shiftRight: shiftRight > 0,
      signed,
      orderOfOperations: orderOfOperations.length > 0,
    }))
      if (given)
        yield {
          path: under(key),
          message: `is for numbers, and the property is ${type}`,
          remedy: 'Make the property INT, FLOAT, DOUBLE or BOOLEAN in the model.',
        };
    if (writable)
      yield {
        path: '/dataConverter',
        message: `is for reading, and the property is a ReadWrite ${type}`,
        remedy: 'Leave it out, or make the property ReadOnly.',
      };
    return;
  }
  if (widthOf(converter) > NUMBER_BYTES_MAX)
    yield {
      path: under('endIndex'),
      message: `must be at most ${NUMBER_BYTES_MAX - 1} away from startIndex, is ${widthOf(converter) - 1}`,
      remedy: `A number has at most ${NUMBER_BYTES_MAX} bytes.`,
    };
  if (shiftLeft > 0 && shiftRight > 0)
    yield { path: under('shiftRight'), message: 'must be 0 with shiftLeft', remedy: 'Shift one way.' };
  if (shiftLeft + shiftRight >= 8 * widthOf(converter) && shiftRight > 0)
    yield {
      path: under('shiftRight'),
      message: `must be below the ${8 * widthOf(converter)} bits that there are, is ${shiftRight}`,
      remedy: 'Nothing is left of the number.',
    };
  for (const [at, { operationType, operationValue }] of orderOfOperations.entries())
    if (operationType === 'Multiply' && operationValue === 0 && writable)
      yield {
        path: under(`orderOfOperations/${at}/operationValue`),
        message: 'must not be 0 where the property is ReadWrite',
        remedy: 'It cannot be undone for a write: make the property ReadOnly.',
      };
}
