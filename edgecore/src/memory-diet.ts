// What keeps the process small; imported first by main.ts. Each figure is resident memory of a joined edge with the
// objects of ten pods, measured by taking the line out (docs/edgecore.md, "Memory").
import { setFlagsFromString } from 'node:v8';

setFlagsFromString('--semi-space-growth-factor=1');
