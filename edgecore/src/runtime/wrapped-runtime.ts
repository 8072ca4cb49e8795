import type { ContainerRuntime } from './container-runtime.ts';
import type { ImageStore } from './image-store.ts';

/** Runs one call, with what it is given; its name is `list`, `create-sandbox`, `pull-image` … */
export type WrapCall = <T>(call: string, run: () => Promise<T>, args: readonly unknown[]) => Promise<T>;

/** The same runtime, with something around each of its calls that answer later. */
export function wrappedRuntime(runtime: ContainerRuntime, wrap: WrapCall): ContainerRuntime {
  const around =
    <Args extends readonly unknown[], T>(call: string, run: (...args: Args) => Promise<T>) =>
    (...args: Args): Promise<T> =>
      wrap(call, () => run(...args), args);
  const { images } = runtime;
  const wrappedImages: ImageStore = {
    list: around('list-images', () => images.list()),
    status: around('image-status', (image) => images.status(image)),
    pull: around('pull-image', (...args) => images.pull(...args)),
    remove: around('remove-image', (image) => images.remove(image)),
    fileSystems: around('image-file-systems', () => images.fileSystems()),
  };
  return {
    get name() {
      return runtime.name;
    },
    get version() {
      return runtime.version;
    },
    get real() {
      return runtime.real;
    },
    get traits() {
      return runtime.traits ?? {};
    },
    images: wrappedImages,
    hasRecursiveReadOnly: (handler) => runtime.hasRecursiveReadOnly?.(handler) ?? false,
    start: () => runtime.start(),
    stop: () => runtime.stop(),
    listen: (listener) => runtime.listen(listener),
    list: around('list', () => runtime.list()),
    get: around('get', (uid) => runtime.get(uid)),
    conditions: around('conditions', () => runtime.conditions()),
    createSandbox: around('create-sandbox', (...args) => runtime.createSandbox(...args)),
    stopSandbox: around('stop-sandbox', (...args) => runtime.stopSandbox(...args)),
    removeSandbox: around('remove-sandbox', (...args) => runtime.removeSandbox(...args)),
    createContainer: around('create-container', (...args) => runtime.createContainer(...args)),
    startContainer: around('start-container', (...args) => runtime.startContainer(...args)),
    stopContainer: around('stop-container', (...args) => runtime.stopContainer(...args)),
    removeContainer: around('remove-container', (...args) => runtime.removeContainer(...args)),
    exec: around('exec', (...args) => runtime.exec(...args)),
    streamUrl: around('stream-url', (...args) => runtime.streamUrl(...args)),
    reopenLog: around('reopen-log', (...args) => runtime.reopenLog(...args)),
    usage: around('usage', (...args) => runtime.usage(...args)),
  };
}
