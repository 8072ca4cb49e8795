import type { SandboxConfig } from './container-config.ts';

/** An image that the runtime has. */
export interface RuntimeImage {
  /** Digest of its configuration: `sha256:…`. */
  readonly id: string;
  readonly tags: readonly string[];
  /** `name@sha256:…`. */
  readonly digests: readonly string[];
  readonly sizeBytes: number;
  /** User of its configuration: number or name, whichever it has. */
  readonly uid?: number;
  readonly username?: string;
  /** Never collected: the runtime's own. */
  readonly pinned: boolean;
}

/** Login at a registry. Source: CRI v1 AuthConfig. */
export interface RegistryLogin {
  readonly username?: string;
  readonly password?: string;
  /** `user:password`, base64. */
  readonly auth?: string;
  readonly serverAddress?: string;
  readonly identityToken?: string;
  readonly registryToken?: string;
}

/** Images of a runtime. Source: CRI v1 ImageService. Errors as those of `ContainerRuntime`. */
export interface ImageStore {
  list(): Promise<readonly RuntimeImage[]>;
  /** undefined: it is not here. @param image a name, with tag or digest, or an id */
  status(image: string): Promise<RuntimeImage | undefined>;
  /** Fetches an image; answers its reference. */
  pull(
    image: string,
    login: RegistryLogin | undefined,
    sandbox: SandboxConfig | undefined,
    signal: AbortSignal,
  ): Promise<string>;
  /** Not there: nothing to do. */
  remove(image: string): Promise<void>;
  /** Use of the file systems that images are on. */
  fileSystems(): Promise<
    readonly { readonly mountpoint: string; readonly usedBytes: number; readonly inodes: number }[]
  >;
}
