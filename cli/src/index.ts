export { readManifests, type ManifestFolder } from './cloud/manifests.ts';
export { CLI_ERRORS, CliError, type CliErrorCode } from './errors.ts';
export { EXIT, type ExitCode } from './exit-codes.ts';
export { buildProgram } from './program.ts';
export { runCli } from './run-cli.ts';
export { VERSION } from './version.ts';
