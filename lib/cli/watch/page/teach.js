// The system call of each step, and the rule of the contract for it (lib/net/transport.ts).

/**
 * `anchor` is the row of semantics.html that has what each runtime does then, if one has.
 * @typedef {{ call: string, rule: string, anchor?: string }} Lesson
 */

/** @type {Record<string, Lesson>} */
export const LESSONS = {
  resolve: {
    call: "getaddrinfo(3)",
    rule: "Finds the addresses of an endpoint (getaddrinfo(3)), in the order the system prefers.",
  },
  connect: {
    call: "socket(2), connect(2)",
    anchor: "connect-where-nobody-listens",
    rule: "Connects to one address.",
  },
  connected: {
    call: "connect(2)",
    anchor: "connect-aborted-after-it-is-made",
    rule: "The address of this end (getsockname(2)). The kernel chooses the port of a TCP client.",
  },
  accept: {
    call: "accept(2)",
    anchor: "more-than-the-backlog-connect",
    rule: "Waits for the next connection.",
  },
  handshake: { call: "TLS over send(2) and recv(2)", rule: "The result of the handshake." },
  send: {
    call: "send(2)",
    anchor: "the-peer-does-not-read-write",
    rule:
      "Sends all of `p`. Resolves when the kernel has taken the last byte, so a peer that does not read holds the promise back and memory stays bounded.",
  },
  recv: {
    call: "recv(2)",
    anchor: "a-second-read-while-one-waits",
    rule:
      "Waits for bytes and puts as many into `p` as have arrived, at least one and at most `p.length`.",
  },
  eof: {
    call: "recv(2) returns 0",
    anchor: "the-peer-half-closes-read",
    rule:
      "Resolves to the number of bytes, or to `null` once the peer has sent FIN and all before it is read: from then on always `null`.",
  },
  shutdown: {
    call: "shutdown(2) with SHUT_WR",
    anchor: "we-half-closed-read",
    rule:
      "Half-close: sends FIN after all that was written, writes that still wait included, so the peer reads `null`.",
  },
  close: {
    call: "close(2)",
    anchor: "close-behind-a-write-the-peer-s-read",
    rule: "Frees the socket. Written bytes are still delivered, then FIN.",
  },
  reset: {
    call: "close(2) with SO_LINGER 0",
    anchor: "reset-the-peer-s-read",
    rule:
      "Frees the socket with RST instead of FIN: what the peer has not read yet is lost, and it reads ECONNRESET. Where there is no RST (on Deno, and on Unix sockets), as {@linkcode close}.",
  },
  "reset by the peer": {
    call: "recv(2) or send(2) fails with ECONNRESET",
    anchor: "the-peer-resets-read",
    rule: "Bytes that arrived before a reset are delivered before its error.",
  },
};

/**
 * The sentence as it is read: without the marks and the names of the source.
 * @param {string} rule
 */
export function plainRule(rule) {
  return rule.replace(/\{@linkcode (\w+)\}/g, "$1()")
    .replaceAll("`p.length`", "its size").replaceAll("`p`", "the buffer").replaceAll("`", "");
}
