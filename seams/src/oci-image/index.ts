/**
 * Entry point `@hawser/seams/oci-image`: container images without a container builder, for `npm run image` and for
 * tests.
 */
export {
  digestOf,
  makeImage,
  makeLayer,
  writeOciArchive,
  type Blob,
  type ImageSettings,
  type Layer,
  type OciImage,
} from './oci-image.ts';
export { writeTar, type TarEntry } from './tar-writer.ts';
