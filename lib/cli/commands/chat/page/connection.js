// A WebSocket that is opened again when it is lost: after half a second, then later and later. Who has
// left by '/quit' comes back only when asked to.

const FIRST_WAIT = 500;
const LONGEST_WAIT = 10_000;
/** The code of a close that was asked for. */
const NORMAL = 1000;

/**
 * @typedef {{
 *   onMessage: (message: any) => void,
 *   onState: (state: "wait" | "open" | "lost" | "left", seconds: number, reason: string) => void,
 * }} Listener
 */

/** See the file. */
export class Connection {
  /** @type {WebSocket | undefined} */
  #socket;
  #wait = FIRST_WAIT;
  #timer = 0;
  #url;
  #listener;

  /**
   * @param {() => string} url called whenever it connects
   * @param {Listener} listener
   */
  constructor(url, listener) {
    this.#url = url;
    this.#listener = listener;
    this.#open();
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Connects at once if it would wait; a connection that stands stays. */
  retry() {
    if (this.#timer !== 0) this.open();
  }

  /** Connects at once, also after it was left. Call it while there is no connection. */
  open() {
    clearTimeout(this.#timer);
    this.#open();
  }

  /** @param {string} text */
  send(text) {
    this.#socket?.send(text);
  }

  #open() {
    this.#timer = 0;
    this.#listener.onState("wait", 0, "");
    const socket = this.#socket = new WebSocket(this.#url());
    socket.addEventListener("open", () => {
      this.#wait = FIRST_WAIT;
      this.#listener.onState("open", 0, "");
    });
    socket.addEventListener("message", ({ data }) => this.#listener.onMessage(JSON.parse(data)));
    socket.addEventListener("close", ({ code, reason }) => {
      if (code === NORMAL) return this.#listener.onState("left", 0, "");
      // Not all pages are to come back at the same moment.
      const wait = this.#wait * (0.75 + Math.random() / 2);
      this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT);
      this.#timer = setTimeout(() => this.#open(), wait);
      this.#listener.onState("lost", Math.ceil(wait / 1000), reason);
    });
  }
}
