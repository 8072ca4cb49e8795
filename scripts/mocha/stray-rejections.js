// mocha lets unhandled rejections pass when they settle between tests. This root hook collects them and fails
// the test during which they appeared.
const strays = [];

export const mochaHooks = {
  beforeAll() {
    process.on('unhandledRejection', (reason) => strays.push(reason));
  },
  async afterEach() {
    await new Promise((resolve) => setImmediate(resolve));
    if (strays.length === 0) return;
    const [first] = strays.splice(0);
    throw new Error('a promise was rejected and nobody listened', { cause: first });
  },
};
