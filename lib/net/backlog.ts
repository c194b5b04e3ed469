/**
 * The number of clients that a listener has waiting, unless the caller chooses.
 *
 * @module
 */

/**
 * The number of connections that may wait in the kernel's queue (listen(2)). It drops the SYN of who
 * comes on top, and a client sends that again after a second. The kernel bounds it by
 * `net.core.somaxconn`, which is 4096 unless it was changed.
 */
export const BACKLOG = 4096;

/**
 * The number of connections that may wait in this process, which costs a descriptor and memory for
 * each: they shake hands, or nobody has asked for them yet.
 */
export const MOST_HELD = 511;
