// mocha's spec reporter, with one plain closing line that machines read, and failures in a file for whoever asks.
const { appendFileSync } = require('node:fs');
const { reporters, Runner } = require('mocha');

module.exports = class ClosingLine extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const file = process.env.HAWSER_FAILURES;
    if (file === undefined) return;
    runner.on(Runner.constants.EVENT_TEST_FAIL, (test, error) => {
      const failure = { file: test.file, title: test.fullTitle(), message: String(error?.stack ?? error) };
      appendFileSync(file, `${JSON.stringify(failure)}\n`);
    });
  }

  epilogue() {
    super.epilogue();
    const { passes, failures, pending } = this.stats;
    console.log(`${passes} passed, ${failures} failed, ${pending} skipped`);
  }
};
