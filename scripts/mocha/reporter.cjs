// mocha's spec reporter, with one plain closing line that machines read, and two files of JSON lines for whoever asks:
// what failed (HAWSER_FAILURES), and how long each file's tests and hooks took (HAWSER_TIMES).
const { appendFileSync } = require('node:fs');
const { performance } = require('node:perf_hooks');
const { reporters, Runner } = require('mocha');

const { EVENT_SUITE_BEGIN, EVENT_SUITE_END, EVENT_TEST_FAIL } = Runner.constants;

function writeFailures(runner, file) {
  runner.on(EVENT_TEST_FAIL, (test, error) => {
    const failure = { file: test.file, title: test.fullTitle(), message: String(error?.stack ?? error) };
    appendFileSync(file, `${JSON.stringify(failure)}\n`);
  });
}

function writeTimes(runner, file) {
  let beganMs = 0;
  runner.on(EVENT_SUITE_BEGIN, (suite) => {
    if (suite.parent?.root) beganMs = performance.now();
  });
  runner.on(EVENT_SUITE_END, (suite) => {
    if (!suite.parent?.root) return;
    const took = { file: suite.file, ms: Math.round(performance.now() - beganMs) };
    appendFileSync(file, `${JSON.stringify(took)}\n`);
  });
}

module.exports = class ClosingLine extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const { HAWSER_FAILURES, HAWSER_TIMES } = process.env;
    if (HAWSER_FAILURES !== undefined) writeFailures(runner, HAWSER_FAILURES);
    if (HAWSER_TIMES !== undefined) writeTimes(runner, HAWSER_TIMES);
  }

  epilogue() {
    super.epilogue();
    const { passes, failures, pending } = this.stats;
    console.log(`${passes} passed, ${failures} failed, ${pending} skipped`);
  }
};
