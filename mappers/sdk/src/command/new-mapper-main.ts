#!/usr/bin/env node
import { sdkProgram } from './sdk-program.ts';

process.exitCode = await sdkProgram(process.argv.slice(2));
