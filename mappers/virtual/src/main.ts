#!/usr/bin/env node
import { runMapper } from '@hawser/mapper-sdk';
import { VirtualDriver } from './virtual-driver.ts';

await runMapper(new VirtualDriver());
