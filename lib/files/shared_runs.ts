/**
 * One run of a job for all who want it at the same time.
 *
 * @module
 */

/** See {@linkcode SharedRuns.run}. Jobs have keys. */
export class SharedRuns<T> {
  readonly #running = new Map<string, Promise<T>>();
  readonly #next = new Map<string, Promise<T>>();

  /**
   * Returns the result of the job of a key. A run is shared by all who asked for it before it
   * began: what a run under way has seen already may have changed since, so those who ask now share
   * the next one.
   */
  run(key: string, job: () => Promise<T>): Promise<T> {
    const running = this.#running.get(key);
    let next = this.#next.get(key);
    if (next !== undefined) return next;
    if (running === undefined) return this.#start(key, job);
    const start = () => {
      this.#next.delete(key);
      return this.#start(key, job);
    };
    next = running.then(start, start);
    this.#next.set(key, next);
    return next;
  }

  #start(key: string, job: () => Promise<T>): Promise<T> {
    const running = job().finally(() => this.#running.delete(key));
    this.#running.set(key, running);
    return running;
  }
}
