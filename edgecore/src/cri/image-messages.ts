import { FilesystemUsage, Int64Value } from './runtime-messages.ts';
import { PodSandboxConfig } from './sandbox-messages.ts';
import { bool, list, many, message, one, string, uint64 } from './wire.ts';

// Images. CRI v1 (package runtime.v1): names, numbers and types are those of the interface; fields that are not
// used are left out. A test compares each with what the installed containerd has built in.

export const ImageSpec = message('ImageSpec', {
  image: string(1),
  userSpecifiedImage: string(18), // since 1.28
});

export const Image = message('Image', {
  id: string(1),
  repoTags: list(2, 'string'),
  repoDigests: list(3, 'string'),
  size: uint64(4),
  uid: one(5, Int64Value),
  username: string(6),
  pinned: bool(8),
});

export const ListImagesRequest = message('ListImagesRequest', {});

export const ListImagesResponse = message('ListImagesResponse', {
  images: many(1, Image),
});

export const ImageStatusRequest = message('ImageStatusRequest', {
  image: one(1, ImageSpec),
});

export const ImageStatusResponse = message('ImageStatusResponse', {
  image: one(1, Image),
});

export const AuthConfig = message('AuthConfig', {
  username: string(1),
  password: string(2),
  auth: string(3),
  serverAddress: string(4),
  identityToken: string(5),
  registryToken: string(6),
});

export const PullImageRequest = message('PullImageRequest', {
  image: one(1, ImageSpec),
  auth: one(2, AuthConfig),
  sandboxConfig: one(3, PodSandboxConfig),
});

export const PullImageResponse = message('PullImageResponse', {
  imageRef: string(1),
});

export const RemoveImageRequest = message('RemoveImageRequest', {
  image: one(1, ImageSpec),
});

export const RemoveImageResponse = message('RemoveImageResponse', {});

export const ImageFsInfoRequest = message('ImageFsInfoRequest', {});

export const ImageFsInfoResponse = message('ImageFsInfoResponse', {
  imageFilesystems: many(1, FilesystemUsage),
});
