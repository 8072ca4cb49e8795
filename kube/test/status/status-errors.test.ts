import assert from 'node:assert/strict';
import type { StatusError } from '../../src/index.ts';
import {
  alreadyExists,
  badRequest,
  conflict,
  deleteUidConflict,
  deleteVersionConflict,
  expired,
  failure,
  field,
  forbidden,
  forbiddenPath,
  generateNameConflict,
  gone,
  internalError,
  invalid,
  listTooOld,
  methodNotAllowed,
  methodNotSupported,
  noSuchResource,
  notAcceptable,
  notFound,
  plainError,
  requestEntityTooLarge,
  resourceVersionTooLarge,
  serverTimeout,
  serviceUnavailable,
  timeout,
  tooManyRequests,
  tooOldResourceVersion,
  uidConflict,
  unauthorized,
  unprocessable,
  unsupportedMediaType,
  unsupportedPatchType,
} from '../../src/index.ts';
import { recording, type RecordingFile } from '../recordings.ts';

const configMaps = { group: '', resource: 'configmaps' };
const leases = { group: 'coordination.k8s.io', resource: 'leases' };
const listOptions = { group: 'meta.k8s.io', kind: 'ListOptions' };
const deleteOptions = { group: 'meta.k8s.io', kind: 'DeleteOptions' };
const createOptions = { group: 'meta.k8s.io', kind: 'CreateOptions' };

const cases: readonly (readonly [RecordingFile, string, StatusError])[] = [
  ['crud', 'configmap-not-found', notFound(configMaps, 'nosuch')],
  ['crud', 'unknown-resource', noSuchResource()],
  ['node', 'lease-get-before', notFound(leases, 'fx-edge1')],
  ['crud', 'configmap-already-exists', alreadyExists(configMaps, 'c1')],
  ['crud', 'configmap-put-conflict', conflict(configMaps, 'c1')],
  ['crud', 'lease-put-conflict', conflict(leases, 'l1')],
  [
    'crud',
    'configmap-put-uid-mismatch',
    uidConflict(configMaps, {
      namespace: 'fx-crud',
      name: 'c1',
      uid: '5f53b608-be3c-46dc-82f3-118ce0873ff3',
      expectedUid: '00000000-0000-0000-0000-000000000001',
    }),
  ],
  [
    'crud',
    'delete-precondition-uid-mismatch',
    deleteUidConflict(
      { group: '', kind: 'ConfigMap' },
      'c1',
      '00000000-0000-0000-0000-000000000001',
      '5f53b608-be3c-46dc-82f3-118ce0873ff3',
    ),
  ],
  [
    'crud',
    'delete-precondition-rv-mismatch',
    deleteVersionConflict({ group: '', kind: 'ConfigMap' }, 'c1', '1', '2088'),
  ],
  [
    'crud',
    'configmap-post-with-resourceversion',
    plainError('resourceVersion should not be set on objects to be created'),
  ],
  [
    'crud',
    'configmap-no-name',
    invalid({ group: '', kind: 'ConfigMap' }, '', [
      field.required('metadata.name', 'name or generateName is required'),
    ]),
  ],
  [
    'crud',
    'configmap-immutable-put',
    invalid({ group: '', kind: 'ConfigMap' }, 'imm', [
      field.forbidden('immutable', 'field is immutable when `immutable` is set'),
      field.forbidden('data', 'field is immutable when `immutable` is set'),
    ]),
  ],
  [
    'crud',
    'finalizer-add-while-deleting', // the same error twice: one message, two causes
    invalid(
      { group: '', kind: 'ConfigMap' },
      'fin',
      [1, 2].map(() =>
        field.forbidden(
          'metadata.finalizers',
          'no new finalizers can be added if the object is being deleted, found new finalizers []string{"fx.example/more"}',
        ),
      ),
    ),
  ],
  [
    'crud',
    'pod-invalid-many',
    invalid({ group: '', kind: 'Pod' }, 'bad', [
      field.required('spec.containers[0].image'),
      field.required('spec.containers[0].ports[0].containerPort'),
      field.invalid(
        'spec.containers[0].ports[1].containerPort',
        70000,
        'must be between 1 and 65535, inclusive',
      ),
      field.notSupported('spec.containers[0].ports[1].protocol', 'ICMP', ['SCTP', 'TCP', 'UDP']),
      field.notFound('spec.containers[0].volumeMounts[0].name', 'nov'),
      field.notSupported('spec.containers[0].imagePullPolicy', 'Maybe', ['Always', 'IfNotPresent', 'Never']),
      field.invalid(
        'spec.containers[0].resources.requests',
        '2',
        'must be less than or equal to cpu limit of 1',
      ),
      field.duplicate('spec.containers[1].name', 'a'),
      field.invalid(
        'spec.containers[2].name',
        'Bad_N',
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
      ),
      field.required('spec.containers[2].env[0].name'),
      field.notSupported('spec.restartPolicy', 'Sometimes', ['Always', 'OnFailure', 'Never']),
      field.notSupported('spec.dnsPolicy', 'X', [
        'ClusterFirstWithHostNet',
        'ClusterFirst',
        'Default',
        'None',
      ]),
    ]),
  ],
  [
    'crud',
    'service-put-clusterip-change',
    invalid({ group: '', kind: 'Service' }, 'svc1', [
      field.invalid('spec.clusterIPs[0]', ['10.96.1.1'], 'may not change once set'),
    ]),
  ],
  [
    'crud',
    'lease-put-no-rv',
    invalid({ group: 'coordination.k8s.io', kind: 'leases' }, 'l1', [
      field.invalid('metadata.resourceVersion', 0, 'must be specified for an update'),
    ]),
  ],
  [
    'crud',
    'selfsubjectaccessreview-invalid', // no kind, and a value that is null
    invalid({ group: 'authorization.k8s.io', kind: '' }, '', [
      field.invalid(
        'spec.resourceAttributes',
        null,
        'exactly one of nonResourceAttributes or resourceAttributes must be specified',
      ),
    ]),
  ],
  ['crud', 'dryrun-bad', invalid(createOptions, '', [field.notSupported('dryRun', ['Some'], ['All'])])],
  [
    'crud',
    'delete-propagation-bad',
    invalid(deleteOptions, '', [
      field.notSupported('propagationPolicy', 'Sideways', ['Foreground', 'Background', 'Orphan', 'nil']),
    ]),
  ],
  ['patch', 'json-test-fails', unprocessable()],
  [
    'crud',
    'forbidden-get',
    forbidden(
      configMaps,
      'c1',
      'User "fx-nobody" cannot get resource "configmaps" in API group "" in the namespace "fx-crud"',
    ),
  ],
  [
    'crud',
    'forbidden-list',
    forbidden(
      configMaps,
      '',
      'User "fx-nobody" cannot list resource "configmaps" in API group "" in the namespace "fx-crud"',
    ),
  ],
  ['crud', 'forbidden-nonresource', forbiddenPath('User "fx-nobody" cannot get path "/metrics"')],
  [
    'crud',
    'namespace-terminating-create',
    forbidden(
      configMaps,
      'late',
      'unable to create new content in namespace fx-gone because it is being terminated',
      [
        {
          reason: 'NamespaceTerminating',
          message: 'namespace fx-gone is being terminated',
          field: 'metadata.namespace',
        },
      ],
    ),
  ],
  ['crud', 'unauthorized', unauthorized()],
  [
    'crud',
    'configmap-put-name-mismatch',
    badRequest('the name of the object (c2) does not match the name on the URL (c1)'),
  ],
  ['crud', 'method-not-allowed-post-item', methodNotAllowed()],
  [
    'crud',
    'not-acceptable',
    notAcceptable(['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf']),
  ],
  [
    'crud',
    'unsupported-media-type',
    unsupportedMediaType(['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf']),
  ],
  ['crud', 'patch-unsupported-media-type', unsupportedPatchType()],
  ['list', 'rv-too-large', resourceVersionTooLarge(99999999, 2251)],
  ['list', 'rv-exact-compacted', listTooOld()],
  [
    'list',
    'rv-match-exact-0',
    invalid(listOptions, '', [
      field.forbidden(
        'resourceVersionMatch',
        'resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
      ),
    ]),
  ],
  [
    'crud',
    'pod-eviction-blocked',
    failure(429, 'TooManyRequests', "Cannot evict pod as it would violate the pod's disruption budget.", {
      causes: [
        {
          reason: 'DisruptionBudget',
          message: 'The disruption budget pdb needs 1 healthy pods and has 1 currently',
        },
      ],
    }),
  ],
];

describe('Status errors, against recordings', () => {
  for (const [file, name, error] of cases) {
    it(`${error.status.code} ${error.status.reason ?? 'no reason'}: ${file}/${name}`, () => {
      assert.deepEqual(error.status, recording(file, name).response.body);
    });
  }

  it('410 Expired of a watch', () => {
    const { lines } = recording('watch', 'watch-410-event').response;
    assert.deepEqual(tooOldResourceVersion(1, 2230).status, lines?.[0]?.object);
  });
});

// No recording shows these; the wording is that of k8s.io/apimachinery api/errors.
describe('Status errors without a recording', () => {
  const table: readonly (readonly [StatusError, number, string, string, object | undefined])[] = [
    [gone('away'), 410, 'Gone', 'away', undefined],
    [expired('old'), 410, 'Expired', 'old', undefined],
    [
      requestEntityTooLarge(3145728),
      413,
      'RequestEntityTooLarge',
      'Request entity too large: limit is 3145728',
      undefined,
    ],
    [timeout('slow', 2), 504, 'Timeout', 'Timeout: slow', { retryAfterSeconds: 2 }],
    [
      serverTimeout(leases, 'list', 1),
      500,
      'ServerTimeout',
      'The list operation against leases.coordination.k8s.io could not be completed at this time, please try again.',
      { group: 'coordination.k8s.io', kind: 'leases', retryAfterSeconds: 1 },
    ],
    [tooManyRequests('busy', 1), 429, 'TooManyRequests', 'busy', { retryAfterSeconds: 1 }],
    [serviceUnavailable('later'), 503, 'ServiceUnavailable', 'later', undefined],
    [
      internalError('boom'),
      500,
      'InternalError',
      'Internal error occurred: boom',
      { causes: [{ message: 'boom' }] },
    ],
    [
      methodNotSupported(configMaps, 'create'),
      405,
      'MethodNotAllowed',
      'create is not supported on resources of kind "configmaps"',
      { kind: 'configmaps' },
    ],
    [
      generateNameConflict(configMaps, 'a-x'),
      409,
      'AlreadyExists',
      'configmaps "a-x" already exists, the server was not able to generate a unique name for the object',
      { name: 'a-x', kind: 'configmaps', retryAfterSeconds: 1 },
    ],
    [
      invalid({ group: '', kind: 'Pod' }, 'a', []),
      422,
      'Invalid',
      'Pod "a" is invalid',
      { name: 'a', kind: 'Pod' },
    ],
  ];
  for (const [error, code, reason, message, details] of table) {
    it(`${code} ${reason}: ${message}`, () => {
      assert.deepEqual(
        {
          code: error.status.code,
          reason: error.status.reason,
          message: error.message,
          details: error.status.details,
        },
        { code, reason, message, details },
      );
    });
  }

  it('derive a stable code from the reason', () => {
    assert.equal(alreadyExists(configMaps, 'a').code, 'ERR_KUBE_ALREADY_EXISTS');
    assert.equal(plainError('x').code, 'ERR_KUBE_UNKNOWN');
  });
});
