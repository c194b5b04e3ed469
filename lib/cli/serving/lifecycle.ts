/**
 * When a server reads files again and when it ends, for what its handlers keep open.
 *
 * @module
 */

/** See the module. The session of a command implements it; a worker has its own. */
export interface Lifecycle {
  /** Registers a function that reads files again, on SIGHUP. */
  onReload(reload: () => void): void;
  /** Registers a function that is called when the server ends. */
  onEnd(stop: () => void): void;
  /** Whether it is that of a worker, whose parent may have read files long ago. Default: false. */
  readonly isWorker?: boolean;
}
