#!/usr/bin/env node
import { runMapper } from '@hawser/mapper-sdk';
import { driver } from './driver.ts';

await runMapper(driver);
