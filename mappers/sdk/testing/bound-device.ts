import type { BoundDevice, BoundProperty } from '@hawser/devices';

/** What is said of a property; the rest has defaults: a DOUBLE, ReadWrite, every second. */
export type PropertyOptions = Partial<BoundProperty> & Pick<BoundProperty, 'name'>;

/** A device for tests, as the edge core would bind it. Namespace `default`. */
export function boundDevice(
  options: Partial<Omit<BoundDevice, 'properties'>> &
    Pick<BoundDevice, 'name' | 'protocol'> & { readonly properties: readonly PropertyOptions[] },
): BoundDevice {
  return {
    namespace: 'default',
    uid: `uid of ${options.name}`,
    config: {},
    state: { reportToCloud: true, reportCycleMs: 1000 },
    ...options,
    properties: options.properties.map((property) => ({
      type: 'DOUBLE',
      accessMode: 'ReadWrite',
      visitor: {},
      collectCycleMs: 1000,
      reportCycleMs: 1000,
      reportToCloud: true,
      ...property,
    })),
  };
}
