/**
 * The life of a server, for what its handlers keep open.
 *
 * @module
 */

/** See the module. The session of a command is one, and a worker has its own. */
export interface Life {
  /** Takes what reads files again, on SIGHUP. */
  onReload(reload: () => void): void;
  /** Takes what ends when the server does. */
  onEnd(stop: () => void): void;
  /** Whether it is that of a worker, whose parent may have read files long ago. Default: false. */
  readonly isWorker?: boolean;
}
