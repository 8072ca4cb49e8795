import { records, setDefault, type Draft } from '../draft.ts';
import type { ResourceDefinition } from '../registry/definition.ts';
import { age } from '../table/duration.ts';
import { AGE_COLUMN, column, NAME_COLUMN } from '../table/columns.ts';
import type { TablePrinter } from '../table/printer.ts';
import { builtIn } from './define.ts';
import { bumpGenerationOf } from './strategies.ts';

const SHOWN_ENDPOINTS = 3;

function shorten(parts: readonly string[]): string {
  if (parts.length === 0) return '<none>';
  const more = parts.length - SHOWN_ENDPOINTS;
  return more > 0 ? `${parts.slice(0, SHOWN_ENDPOINTS).join(',')} + ${more} more...` : parts.join(',');
}

const endpointsPrinter: TablePrinter = {
  columns: [
    NAME_COLUMN,
    column('Endpoints', 'string', 'The addresses and ports that are ready.'),
    AGE_COLUMN,
  ],
  cells(object, nowMs) {
    const all = records(object['subsets']).flatMap(({ addresses, ports }) => {
      const ips = records(addresses).map(({ ip }) => String(ip));
      const numbers = records(ports).map(({ port }) => String(port));
      if (numbers.length === 0) return ips;
      return numbers.flatMap((port) => ips.map((ip) => `${ip}:${port}`));
    });
    return [object.metadata.name, shorten(all), age(object.metadata.creationTimestamp, nowMs)];
  },
};

const slicePrinter: TablePrinter = {
  columns: [
    NAME_COLUMN,
    column('AddressType', 'string', 'The type of address carried by this EndpointSlice.'),
    column('Ports', 'string', 'The ports of the endpoints.'),
    column('Endpoints', 'string', 'The addresses of the endpoints.'),
    AGE_COLUMN,
  ],
  cells(object, nowMs) {
    const ports = records(object['ports']).map(({ port }) => (typeof port === 'number' ? String(port) : '*'));
    const endpoints = records(object['endpoints']).flatMap(({ addresses }) => (addresses ?? []) as string[]);
    return [
      object.metadata.name,
      object['addressType'],
      ports.length === 0 ? '<unset>' : shorten(ports),
      endpoints.length === 0 ? '<unset>' : shorten(endpoints),
      age(object.metadata.creationTimestamp, nowMs),
    ];
  },
};

function defaultEndpoints(draft: Draft): void {
  for (const subset of records(draft['subsets'])) {
    for (const port of records(subset['ports'])) setDefault(port, 'protocol', 'TCP');
  }
}

/** Endpoints and EndpointSlices. */
export function endpointResources(): { endpoints: ResourceDefinition; slices: ResourceDefinition } {
  return {
    endpoints: builtIn({
      kind: 'Endpoints',
      resource: 'endpoints',
      singular: 'endpoints',
      shortNames: ['ep'],
      strategy: { allowCreateOnUpdate: true, default: defaultEndpoints },
      table: endpointsPrinter,
    }),
    slices: builtIn({
      group: 'discovery.k8s.io',
      kind: 'EndpointSlice',
      resource: 'endpointslices',
      strategy: {
        default(draft) {
          for (const port of records(draft['ports'])) {
            port['name'] ??= '';
            port['protocol'] ??= 'TCP';
          }
        },
        prepareForCreate(draft) {
          draft.metadata.generation = 1;
        },
        prepareForUpdate: (draft, old) => bumpGenerationOf(draft, old, ['endpoints', 'ports']),
      },
      table: slicePrinter,
    }),
  };
}
