/**
 * What the API's OpenAPI document does not say: how Go serialises a field's zero value. Our answers must have and
 * lack the same fields as those of kube-apiserver, whose objects are Go structs.
 * Source: the struct tags of k8s.io/api.
 */

/** Plain (not pointer) integers with omitempty: 0 is left out. Other optional integers are pointers: 0 stays. */
export const VALUE_INTEGERS: ReadonlySet<string> = new Set(
  `ContainerPort.hostPort ServicePort.nodePort ServiceSpec.healthCheckNodePort Probe.initialDelaySeconds
  Probe.timeoutSeconds Probe.periodSeconds Probe.successThreshold Probe.failureThreshold
  DeploymentSpec.minReadySeconds DaemonSetSpec.minReadySeconds ReplicaSetSpec.minReadySeconds
  StatefulSetSpec.minReadySeconds DeploymentStatus.observedGeneration DeploymentStatus.replicas
  DeploymentStatus.updatedReplicas DeploymentStatus.readyReplicas DeploymentStatus.availableReplicas
  DeploymentStatus.unavailableReplicas ReplicaSetStatus.fullyLabeledReplicas ReplicaSetStatus.readyReplicas
  ReplicaSetStatus.availableReplicas ReplicaSetStatus.observedGeneration StatefulSetStatus.observedGeneration
  StatefulSetStatus.readyReplicas StatefulSetStatus.currentReplicas StatefulSetStatus.updatedReplicas
  DaemonSetStatus.observedGeneration DaemonSetStatus.updatedNumberScheduled DaemonSetStatus.numberAvailable
  DaemonSetStatus.numberUnavailable JobStatus.active JobStatus.succeeded JobStatus.failed
  PodCondition.observedGeneration PodStatus.observedGeneration ObjectMeta.generation core.Event.count
  core.EventSeries.count events.Event.deprecatedCount ContainerImage.sizeBytes ContainerStateTerminated.signal
  ScaleSpec.replicas CustomResourceColumnDefinition.priority Condition.observedGeneration
  PodDisruptionBudgetStatus.observedGeneration `.split(/\s+/),
);

/** Plain booleans with omitempty: false is left out. `*.readOnly` and the like hold for every struct. */
export const VALUE_BOOLEANS: ReadonlySet<string> = new Set(
  `PodSpec.hostNetwork PodSpec.hostPID PodSpec.hostIPC Container.stdin Container.stdinOnce Container.tty
  EphemeralContainer.stdin EphemeralContainer.stdinOnce EphemeralContainer.tty *.readOnly
  ServiceSpec.publishNotReadyAddresses DeploymentSpec.paused NodeSpec.unschedulable
  JSONSchemaProps.exclusiveMaximum JSONSchemaProps.exclusiveMinimum JSONSchemaProps.uniqueItems
  JSONSchemaProps.nullable JSONSchemaProps.x-kubernetes-embedded-resource
  JSONSchemaProps.x-kubernetes-int-or-string CustomResourceDefinitionVersion.deprecated
  CustomResourceDefinitionSpec.preserveUnknownFields PriorityClass.globalDefault
  TokenReviewStatus.authenticated SubjectAccessReviewStatus.denied`.split(/\s+/),
);

/** Pointers to strings: '' stays. Other optional strings are plain: '' is left out. */
export const POINTER_STRINGS: ReadonlySet<string> = new Set(
  `PersistentVolumeClaimSpec.storageClassName PersistentVolumeClaimSpec.volumeMode PodSpec.runtimeClassName
  PodSpec.preemptionPolicy PodSpec.hostnameOverride discovery.EndpointPort.name discovery.EndpointPort.protocol
  discovery.EndpointPort.appProtocol ServicePort.appProtocol core.EndpointPort.appProtocol
  ServiceSpec.ipFamilyPolicy ServiceSpec.internalTrafficPolicy ServiceSpec.loadBalancerClass
  IngressSpec.ingressClassName HTTPIngressPath.pathType EndpointAddress.nodeName Endpoint.hostname
  Endpoint.nodeName Endpoint.zone LeaseSpec.holderIdentity LeaseSpec.strategy LeaseSpec.preferredHolder
  HostPathVolumeSource.type TypedLocalObjectReference.apiGroup TypedObjectReference.apiGroup
  TypedObjectReference.namespace SeccompProfile.localhostProfile Container.restartPolicy
  EphemeralContainer.restartPolicy PodSecurityContext.fsGroupChangePolicy SecurityContext.procMount
  VolumeMount.mountPropagation CustomResourceDefinitionVersion.deprecationWarning JSONSchemaProps.$ref
  StorageClass.reclaimPolicy StorageClass.volumeBindingMode PriorityClass.preemptionPolicy
  PersistentVolumeSpec.volumeMode NetworkPolicyPort.protocol JobSpec.completionMode
  VolumeAttachmentSource.persistentVolumeName`.split(/\s+/),
);

/**
 * Structs by value: they are there even when empty. For every kind `metadata`, `spec` and `status` are; so is
 * whatever OpenAPI calls required.
 */
export const VALUE_STRUCTS: ReadonlySet<string> = new Set(
  `Container.resources EphemeralContainer.resources DeploymentSpec.strategy DaemonSetSpec.updateStrategy
  StatefulSetSpec.updateStrategy ReplicaSetSpec.template PersistentVolumeClaimSpec.resources
  ContainerStatus.state ContainerStatus.lastState NodeStatus.daemonEndpoints NodeStatus.nodeInfo
  NodeDaemonEndpoints.kubeletEndpoint ServiceStatus.loadBalancer IngressStatus.loadBalancer core.Event.source
  events.Event.regarding events.Event.deprecatedSource Endpoint.conditions
  CustomResourceDefinitionStatus.acceptedNames NetworkPolicySpec.podSelector IngressServiceBackend.port
  TokenReviewStatus.user SelfSubjectReviewStatus.userInfo PodTemplateSpec.metadata PodTemplateSpec.spec
  JobTemplateSpec.metadata JobTemplateSpec.spec PersistentVolumeClaimTemplate.metadata PodTemplate.template
  ResourceFieldSelector.divisor`.split(/\s+/),
);

/** Times by value: null when unset. Optional times elsewhere are pointers. */
export const VALUE_TIMES: ReadonlySet<string> = new Set(
  `PodCondition.lastProbeTime PodCondition.lastTransitionTime NodeCondition.lastHeartbeatTime
  NodeCondition.lastTransitionTime DeploymentCondition.lastUpdateTime DeploymentCondition.lastTransitionTime
  ReplicaSetCondition.lastTransitionTime DaemonSetCondition.lastTransitionTime
  StatefulSetCondition.lastTransitionTime JobCondition.lastProbeTime JobCondition.lastTransitionTime
  PersistentVolumeClaimCondition.lastProbeTime PersistentVolumeClaimCondition.lastTransitionTime
  NamespaceCondition.lastTransitionTime CertificateSigningRequestCondition.lastUpdateTime
  CertificateSigningRequestCondition.lastTransitionTime CustomResourceDefinitionCondition.lastTransitionTime
  ContainerStateRunning.startedAt ContainerStateTerminated.startedAt ContainerStateTerminated.finishedAt
  core.Event.firstTimestamp core.Event.lastTimestamp core.Event.eventTime core.EventSeries.lastObservedTime
  events.Event.deprecatedFirstTimestamp events.Event.deprecatedLastTimestamp VolumeError.time`.split(/\s+/),
);

/** Optional in the document, yet without omitempty: null, '' or 0 when unset. */
export const ALWAYS_EMITTED: ReadonlySet<string> = new Set(
  `ClusterRole.rules Role.rules CustomResourceDefinitionStatus.conditions
  CustomResourceDefinitionStatus.storedVersions core.Event.reportingComponent core.Event.reportingInstance
  EndpointSlice.ports`.split(/\s+/),
);

/** Pointers to structs without omitempty: null when unset. */
export const NULL_STRUCTS: ReadonlySet<string> = new Set(
  `TokenRequestSpec.boundObjectRef DeploymentSpec.selector ReplicaSetSpec.selector DaemonSetSpec.selector
  StatefulSetSpec.selector`.split(/\s+/),
);
