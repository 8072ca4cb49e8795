export { CLOUDCORE_ERRORS, CloudCoreError, type CloudCoreErrorCode } from './errors.ts';
