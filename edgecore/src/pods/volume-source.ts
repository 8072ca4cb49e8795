import type { FieldSelector, ResourceSelector } from './pod.ts';

/** A volume of a pod. Exactly one source; those that are not named here are refused. Source: core/v1 Volume. */
export interface PodVolume {
  readonly name: string;
  readonly emptyDir?: EmptyDirSource;
  readonly hostPath?: HostPathSource;
  readonly configMap?: ConfigMapSource & FileModes;
  readonly secret?: {
    readonly secretName?: string;
    readonly items?: readonly KeyToPath[];
    readonly optional?: boolean;
  } & FileModes;
  readonly downwardAPI?: DownwardApiSource & FileModes;
  readonly projected?: { readonly sources?: readonly ProjectedSource[] } & FileModes;
  readonly persistentVolumeClaim?: { readonly claimName: string; readonly readOnly?: boolean };
}

/** Source: core/v1 EmptyDirVolumeSource. */
export interface EmptyDirSource {
  /** Empty: the disk. */
  readonly medium?: string;
  readonly sizeLimit?: string | number;
}

/** Source: core/v1 HostPathVolumeSource. */
export interface HostPathSource {
  readonly path: string;
  readonly type?:
    | ''
    | 'DirectoryOrCreate'
    | 'Directory'
    | 'FileOrCreate'
    | 'File'
    | 'Socket'
    | 'CharDevice'
    | 'BlockDevice';
}

/** Mode of the files that have none of their own. Default 0644. */
export interface FileModes {
  readonly defaultMode?: number;
}

/** Source: core/v1 KeyToPath. */
export interface KeyToPath {
  readonly key: string;
  readonly path: string;
  readonly mode?: number;
}

/** A configMap or a secret, named. */
export interface ConfigMapSource {
  readonly name?: string;
  readonly items?: readonly KeyToPath[];
  readonly optional?: boolean;
}

/** Source: core/v1 DownwardAPIVolumeFile. */
export interface DownwardApiSource {
  readonly items?: readonly {
    readonly path: string;
    readonly fieldRef?: FieldSelector;
    readonly resourceFieldRef?: ResourceSelector;
    readonly mode?: number;
  }[];
}

/** One source of a projected volume. Source: core/v1 VolumeProjection. */
export interface ProjectedSource {
  readonly configMap?: ConfigMapSource;
  readonly secret?: ConfigMapSource;
  readonly downwardAPI?: DownwardApiSource;
  readonly serviceAccountToken?: TokenProjection;
}

/** A token of the pod's service account, put into a file. */
export interface TokenProjection {
  /** Empty or absent: the audience of the API server. */
  readonly audience?: string;
  /** Default 3600. */
  readonly expirationSeconds?: number;
  readonly path: string;
}
