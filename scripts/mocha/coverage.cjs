// Preloaded into the processes of the tests: coverage as of NODE_V8_COVERAGE, but of our own sources alone. A hub writes
// 0.4 MB at its end, not the 14 MB of all that it has loaded, which takes it most of a second.
const { ChildProcess } = require('node:child_process');
const { writeFileSync } = require('node:fs');
const { Session } = require('node:inspector');
const path = require('node:path');
const { threadId } = require('node:worker_threads');

/** The folder that it goes to. Empty: a process that is looked at without. */
const { HAWSER_COVERAGE: folder = '' } = process.env;
const OURS = /^file:.*\/dist\/src\//;
/** What has no source maps: nothing in there can be told from its lines. */
const BUNDLE = `${path.sep}dist${path.sep}bundle${path.sep}`;
/** What a process needs to be given for this. */
const NEEDED = { HAWSER_COVERAGE: folder, NODE_OPTIONS: `--require ${JSON.stringify(__filename)}` };

function collect() {
  const session = new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  process.on('exit', () => {
    session.post('Profiler.takePreciseCoverage', (error, coverage) => {
      const result = error === null ? coverage.result.filter(({ url }) => OURS.test(url)) : [];
      if (result.length === 0) return;
      const name = `coverage-${process.pid}-${Date.now()}-${threadId}.json`;
      writeFileSync(path.join(folder, name), JSON.stringify({ result }));
    });
  });
}

/** To processes that are started with an environment of their own, too, as Node.js does with NODE_V8_COVERAGE. */
function passOn() {
  const { spawn } = ChildProcess.prototype;
  ChildProcess.prototype.spawn = function spawnWithCoverage(options) {
    const { envPairs } = options;
    for (const [name, value] of Object.entries(NEEDED))
      if (!envPairs.some((pair) => pair.startsWith(`${name}=`))) envPairs.push(`${name}=${value}`);
    return spawn.call(this, options);
  };
}

if (folder !== '') passOn();
if (folder !== '' && !process.argv[1]?.includes(BUNDLE)) collect();
