import { METADATA_ENTRIES_MAX, METADATA_KEY_MAX, METADATA_VALUE_MAX } from '@hawser/devices';
import {
  dns1123LabelProblems,
  dns1123SubdomainProblems,
  labelValueProblems,
  parseTime,
  qualifiedNameProblems,
} from '@hawser/kube';
import { MAX_UPSTREAM_BYTES, unpackJson, type UpstreamBodies, type UpstreamKind } from '@hawser/sync';
import { z } from 'zod';
import { Refusal } from './outcome.ts';

/** Deepest nesting of a body; that of the API's types is below 20. */
const MAX_DEPTH = 32;
const MAX_ISSUES = 5;
/** Properties of a device. */
const MAX_PROPERTIES = 1024;
/** As devices have them. */
const MAX_VALUE_CHARS = 16_384;
/** Source: metav1.Condition. */
const CONDITION_REASON = /^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/;
/** What a value takes beside its text, roughly. */
const VALUE_BYTES = 32;

function isUnique(names: readonly string[]): boolean {
  return new Set(names).size === names.length;
}

function checked(problemsOf: (value: string) => string[]): z.ZodString {
  return z.string().check(({ value, issues }) => {
    const [problem] = problemsOf(value);
    if (problem !== undefined) issues.push({ code: 'custom', input: value, message: problem });
  });
}

const objectName = checked(dns1123SubdomainProblems);
const namespace = checked(dns1123LabelProblems);
const key = checked(qualifiedNameProblems);
const labelValue = checked(labelValueProblems);
const uid = z.string().min(1).max(128);
const time = z
  .string()
  .max(64)
  .refine((value) => parseTime(value) !== undefined, 'not an RFC 3339 time');
/** Of events and reports: shown to people, and matched by programs. */
const word = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._/-]*$/, 'not a word');

const condition = z.looseObject({
  type: z.string().min(1).max(316),
  status: z.enum(['True', 'False', 'Unknown']),
});
/** The rest of a status is the API server's to check. */
const podStatus = z.looseObject({
  phase: z.enum(['Pending', 'Running', 'Succeeded', 'Failed', 'Unknown']),
  conditions: z.array(condition).max(64).exactOptional(),
});
const nodeStatus = z.looseObject({ conditions: z.array(condition).max(64).exactOptional() });

const property = z.string().min(1).max(253);
const twinValueFields = {
  value: z.string().max(MAX_VALUE_CHARS),
  metadata: z
    .record(z.string().min(1).max(METADATA_KEY_MAX), z.string().max(METADATA_VALUE_MAX))
    .refine((metadata) => Object.keys(metadata).length <= METADATA_ENTRIES_MAX, 'too many')
    .exactOptional(),
};
const twinValue = z.strictObject(twinValueFields);
const settingId = z.string().regex(/^[A-Za-z0-9._-]{8,64}$/, 'not an id');
const poolName = z.string().min(1).max(253);
const epoch = z
  .number()
  .int()
  .min(0)
  .max(2 ** 48);
const device = { namespace, name: objectName, uid };

const SCHEMAS: { readonly [K in UpstreamKind]: z.ZodType<UpstreamBodies[K]> } = {
  node: z.strictObject({
    labels: z.record(key, labelValue).refine((labels) => Object.keys(labels).length <= 128, 'too many'),
    annotations: z.record(key, z.string().max(65_536)),
    taints: z
      .array(
        z.strictObject({
          key,
          value: labelValue.exactOptional(),
          effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']),
        }),
      )
      .max(64),
    status: nodeStatus,
  }),
  pod: z.strictObject({ namespace, name: objectName, uid, status: podStatus }),
  'pod-gone': z.strictObject({ namespace, name: objectName, uid }),
  event: z.strictObject({
    id: z.string().min(8).max(128),
    regarding: z.strictObject({
      kind: z.string().min(1).max(63),
      apiVersion: z.string().min(1).max(317),
      namespace: namespace.exactOptional(),
      name: objectName,
      uid: uid.exactOptional(),
      fieldPath: z.string().max(512).exactOptional(),
    }),
    type: z.enum(['Normal', 'Warning']),
    reason: word,
    message: z.string().max(4096),
    count: z
      .number()
      .int()
      .min(1)
      .max(2 ** 31 - 1),
    firstTimestamp: time,
    lastTimestamp: time,
    component: word,
  }),
  report: z.strictObject({ code: word, message: z.string().max(4096), at: time }),
  device: z.strictObject({
    ...device,
    twins: z
      .array(
        z.strictObject({
          propertyName: property,
          reported: twinValue.exactOptional(),
          observedDesired: twinValue.exactOptional(),
        }),
      )
      .max(MAX_PROPERTIES)
      .refine((twins) => isUnique(twins.map(({ propertyName }) => propertyName)), 'a property comes twice'),
    state: z.enum(['ok', 'online', 'offline', 'unhealthy', 'unknown']).exactOptional(),
    lastOnlineTime: time.exactOptional(),
    served: z
      .strictObject({
        status: z.enum(['True', 'False', 'Unknown']),
        reason: z.string().max(128).regex(CONDITION_REASON, 'not a reason'),
        message: z.string().max(4096),
      })
      .exactOptional(),
  }),
  'device-setting': z.strictObject({
    ...device,
    settings: z
      .array(
        z.strictObject({
          property,
          id: settingId.exactOptional(),
          ...twinValueFields,
          over: twinValue.exactOptional(),
        }),
      )
      .min(1)
      .max(MAX_PROPERTIES)
      .refine((settings) => isUnique(settings.map((setting) => setting.property)), 'a property comes twice'),
  }),
  upload: z.strictObject({ topic: z.string().min(1).max(1024), payload: z.base64(), at: time }),
  'token-request': z.strictObject({
    namespace,
    serviceAccount: objectName,
    podName: objectName,
    podUid: uid,
    audiences: z.array(z.string().min(1).max(1024)).max(8),
    expirationSeconds: z
      .number()
      .int()
      .min(600)
      .max(2 ** 32),
  }),
  'pool-report': z.strictObject({
    pool: poolName,
    endpoint: z.string().max(300),
    epoch,
    version: z.string().regex(/^\d{0,20}$/, 'not a resourceVersion'),
    complete: z.boolean(),
    writable: z.boolean(),
    peers: z.number().int().min(0).max(10_000),
    resign: z.literal(true).exactOptional(),
  }),
  'pool-claim': z.strictObject({
    pool: poolName,
    epoch,
    silentMs: z
      .number()
      .min(0)
      .max(2 ** 48),
  }),
  'pool-direct': z.strictObject({ pool: poolName }),
  'certificate-renewal': z.strictObject({ csr: z.string().min(1).max(16_384) }),
};

/** Whether the hub knows this kind of message. */
export function isKnownKind(kind: string): kind is UpstreamKind {
  return Object.hasOwn(SCHEMAS, kind);
}

/** A message whose form is right. */
export interface CheckedBody<K extends UpstreamKind> {
  readonly body: UpstreamBodies[K];
  /** About what it takes in memory, bytes. */
  readonly sizeBytes: number;
}

/**
 * Unpacks and checks a message. Nothing in it can be believed beyond its form.
 * @throws Refusal 400, with what is wrong and where
 */
export function decodeBody<K extends UpstreamKind>(kind: K, packed: Uint8Array): CheckedBody<K> {
  const value = unpack(packed);
  const sizeBytes = measure(value);
  const parsed = SCHEMAS[kind].safeParse(value);
  if (parsed.success) return { body: parsed.data, sizeBytes };
  const issues = parsed.error.issues.slice(0, MAX_ISSUES);
  throw malformed(issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '));
}

function unpack(packed: Uint8Array): unknown {
  try {
    return unpackJson(packed, MAX_UPSTREAM_BYTES);
  } catch (error) {
    throw malformed(error instanceof Error ? error.message : String(error));
  }
}

function malformed(why: string): Refusal {
  return new Refusal(400, 'malformed', why.slice(0, 1024));
}

/**
 * About what a JSON value takes in memory. Without recursion: the value may have been made to break that.
 * @throws Refusal 400 if it is nested too deep
 */
function measure(value: unknown): number {
  let sizeBytes = 0;
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MAX_DEPTH) throw malformed(`nested deeper than ${MAX_DEPTH}`);
    const next: unknown[] = [];
    for (const item of level) {
      sizeBytes += VALUE_BYTES + (typeof item === 'string' ? item.length : 0);
      if (typeof item !== 'object' || item === null) continue;
      for (const [key, member] of Object.entries(item)) {
        sizeBytes += key.length;
        next.push(member);
      }
    }
    level = next;
  }
  return sizeBytes;
}
