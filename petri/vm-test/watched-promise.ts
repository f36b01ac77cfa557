/**
 * A promise that knows whether anybody waits for it: `await`, `then`, `catch` and `finally` do, `Promise.all` and the
 * like, and an async function that returns it. Nobody has to: its rejection is never an unhandled one.
 *
 * `await` takes a plain promise without calling its `then` (ECMAScript, PromiseResolve), but not one of a subclass.
 */
export class WatchedPromise<Value> extends Promise<Value> {
  readonly #onAwait: () => void;

  constructor(promise: Promise<Value>, onAwait: () => void) {
    super((resolve, reject) => {
      promise.then(resolve, reject);
    });
    this.#onAwait = onAwait;
    super.then(undefined, () => undefined);
  }

  /** What is derived from it is a plain promise, which the engine makes without our constructor. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  override then<Fulfilled = Value, Rejected = never>(
    onFulfilled?: ((value: Value) => Fulfilled | PromiseLike<Fulfilled>) | null,
    onRejected?: ((reason: unknown) => Rejected | PromiseLike<Rejected>) | null,
  ): Promise<Fulfilled | Rejected> {
    this.#onAwait();
    return super.then(onFulfilled, onRejected);
  }
}
