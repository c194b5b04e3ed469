/**
 * The cached state of one file that is served: its representations, their validators, and the
 * responses that are ready to be sent.
 *
 * @module
 */

import type { LightResponse } from "../http/server/light.ts";
import type { Cacheable } from "./cache.ts";
import { compress, compressing, type MadeCoding } from "./compress.ts";
import type { Validators } from "./conditions.ts";
import {
  checkReadable,
  locate,
  locateBelow,
  type Located,
  openLocated,
  readFully,
  readLocated,
  TooLargeError,
} from "./located_file.ts";
import type { Coding } from "./accept_encoding.ts";
import { HEAD_BYTES } from "./charset.ts";
import { etagOf } from "./etag.ts";
import { type FileState, httpSecond, isSame } from "./file_state.ts";
import { stateNow } from "./file_system.deno.ts";
import {
  isCompressible,
  mayHaveSiblings,
  mediaTypeOf,
  type MediaTypes,
  needsHead,
} from "./media_type.ts";
import { currentTick } from "./tick.ts";

/** Files up to this size are held in memory. */
const MOST_HELD = 64 * 1024;

/** Text is compressed by the server from this size on; less fits one packet as it is … */
const LEAST_COMPRESSED = 1024;

/** … and up to this one: it is compressed as a whole, and held in memory. */
const MOST_COMPRESSED = 1024 * 1024;

/** The largest length. */
const MOST_BYTES = Number.MAX_SAFE_INTEGER;

/** The interval at which missing siblings are looked for again, in milliseconds. */
const SIBLINGS_MS = 10_000;

/** The size of a resource in the cache besides its content. */
const OVERHEAD = 2048;

/** The siblings of a file that hold it compressed, and those codings that the server can make. */
const SIBLINGS: readonly (readonly [Coding, string])[] = [["br", ".br"], ["zstd", ".zst"], [
  "gzip",
  ".gz",
]];
const MADE: readonly MadeCoding[] = ["br", "gzip"];

/** A file in one content coding. */
export interface Representation extends Validators {
  readonly coding: Coding;
  /** The file with its bytes; `undefined` if the server compresses it. */
  readonly source: Located | undefined;
  /** The bytes, once they are held in memory. */
  bytes?: Uint8Array;
  /** The response with all of it, once it is ready. */
  whole?: LightResponse;
  /** The response to who has it already, once it is ready. */
  notModified?: LightResponse;
}

/** See the module. */
export class Resource implements Cacheable {
  cost: number = OVERHEAD;
  used = true;
  /** Its key in the cache. */
  readonly key: string;
  /** The path it was located by; it may have links in it. */
  readonly path: string;
  readonly located: Located;
  /** The value of Content-Type. */
  readonly type: string;
  /** The value of Last-Modified; `undefined` if no HTTP-date can express it. */
  readonly lastModified: string | undefined;
  /** Whether there is a choice of codings, now or when siblings turn up. */
  readonly negotiable: boolean;
  /** The representations, best first; the file itself is the last. */
  representations: readonly Representation[];
  /** When it was made or last checked, by the server's clock. */
  checkedAt: number;
  /** When siblings were last looked for. */
  #siblingsAt: number;
  /** Whether a change would have changed the time of modification, and so the entity tag. */
  readonly #isDatable: boolean;
  /** Whether it would have shown at all: if not, what was read is not relied on. */
  readonly #isTrusted: boolean;
  /** Whether the file system had a wrong size: then it does not show changes either. */
  #isUnsized = false;
  readonly #mayHaveGrown: boolean;
  /** The paths of the file and its siblings, and what was there. */
  readonly #seen: readonly (readonly [path: string, state: FileState])[];
  /** The tick in which all of them were last looked at. */
  #seenIn = -1;
  #checking: Promise<boolean> | undefined;
  readonly #loading = new Map<Representation, Promise<Uint8Array>>();

  private constructor(
    key: string,
    path: string,
    located: Located,
    type: string,
    siblings: readonly Sibling[],
    init: ResourceInit,
  ) {
    this.key = key;
    this.path = path;
    this.located = located;
    this.type = type;
    this.checkedAt = this.#siblingsAt = init.now;
    this.#mayHaveGrown = init.mayHaveGrown;
    const now = Date.now();
    this.#seen = [
      [path, located.state],
      ...siblings.map(({ path, source }) => [path, source.state] as const),
    ];
    const states = this.#seen.map(([, state]) => state);
    this.#isDatable = states.every((state) => isPast(datedBy(state), now));
    this.#isTrusted = this.#isDatable && states.every(({ ctimeMs }) => isPast(ctimeMs, now));
    // RFC 9110 section 8.8.2.1: no time in the future.
    const lastModified = httpSecond(Math.min(now, located.state.mtimeMs));
    if (!isNaN(lastModified)) this.lastModified = new Date(lastModified).toUTCString();

    const { size } = located.state;
    const representations: Representation[] = siblings.map(({ coding, source }) => ({
      coding,
      source,
      lastModified,
      etag: etagOf(source.state, coding, this.#isDatable),
    }));
    const compressed = init.compress && isCompressible(this.type) && size >= LEAST_COMPRESSED &&
      size <= MOST_COMPRESSED;
    for (const coding of compressed ? MADE : []) {
      if (siblings.some((sibling) => sibling.coding === coding)) continue;
      // Weak: another version of the compressor makes other bytes.
      const etag = `W/${etagOf(located.state, coding, this.#isDatable).replace("W/", "")}`;
      representations.push({ coding, source: undefined, lastModified, etag });
    }
    const etag = etagOf(located.state, "identity", this.#isDatable);
    representations.push({ coding: "identity", source: located, lastModified, etag });
    this.representations = representations;
    this.negotiable = representations.length > 1 || isCompressible(this.type);
  }

  /** Makes one of a file that was located by `path`. */
  static async create(
    key: string,
    path: string,
    located: Located,
    init: ResourceInit,
  ): Promise<Resource> {
    if (located.state.size > MOST_BYTES) throw new TooLargeError(located.real, "2^53 - 1 bytes");
    const head = needsHead(path, init.types) ? await headOf(located, init) : undefined;
    const type = mediaTypeOf(path, head, init.types);
    const siblings = init.siblings ? await findSiblings(path, type, located) : [];
    return new Resource(key, path, located, type, siblings, init);
  }

  /** The file itself. */
  get identity(): Representation {
    return this.representations[this.representations.length - 1];
  }

  /** Whether file and siblings are what they were: one look at each, at once. */
  isCurrent(): boolean {
    if (!this.#isTrusted || this.#isUnsized) return false;
    const tick = currentTick();
    if (this.#seenIn === tick) return true;
    try {
      for (const [path, state] of this.#seen) if (!isSame(state, stateNow(path))) return false;
    } catch {
      return false; // gone, or not to be looked at any more
    }
    this.#seenIn = tick;
    return true;
  }

  /**
   * Looks whether all is as it was when this was made: where the path leads, and which siblings there
   * are, too. One look at a time serves all. False: no, a new resource is needed. Rejects as `fs` does
   * if the file is gone.
   */
  check(init: ResourceInit): Promise<boolean> {
    return this.#checking ??= this.#check(init).finally(() => this.#checking = undefined);
  }

  async #check(init: ResourceInit): Promise<boolean> {
    if (!this.#isTrusted || this.#isUnsized) return false;
    const { real, state } = await locate(init.root, this.path);
    if (real !== this.located.real || !isSame(this.located.state, state)) return false;
    const present = this.representations.filter(({ source, coding }) => {
      return source !== undefined && coding !== "identity";
    });
    const anew = init.siblings && init.now - this.#siblingsAt >= SIBLINGS_MS;
    if (anew || present.length > 0) {
      const found = await findSiblings(
        this.path,
        this.type,
        this.located,
        anew ? undefined : present,
      );
      const same = found.length === present.length && found.every(({ coding, source }, i) => {
        return coding === present[i].coding && isSame(source.state, present[i].source!.state);
      });
      if (!same) return false;
      if (anew) this.#siblingsAt = init.now;
    }
    this.checkedAt = init.now;
    return true;
  }

  /** Whether the bytes of a representation are held in memory, or will be. */
  isHeld({ source }: Representation): boolean {
    return source === undefined || source.state.size <= MOST_HELD;
  }

  /**
   * The bytes of a representation that {@linkcode isHeld}. They are read or compressed once, and
   * `onHeld` is called with the memory that this takes. Rejects as `readLocated()` does.
   */
  load(representation: Representation, onHeld: (bytes: number) => void): Promise<Uint8Array> {
    const { bytes } = representation;
    if (bytes !== undefined) return Promise.resolve(bytes);
    let loading = this.#loading.get(representation);
    if (loading === undefined) {
      loading = this.#load(representation, onHeld)
        .finally(() => this.#loading.delete(representation));
      this.#loading.set(representation, loading);
    }
    return loading;
  }

  async #load(
    representation: Representation,
    onHeld: (bytes: number) => void,
  ): Promise<Uint8Array> {
    const { source, coding } = representation;
    const bytes = source === undefined
      ? await compressing.run(async () => {
        return await compress(await this.#read(this.located), coding as MadeCoding);
      })
      : await this.#read(source);
    const inVain = source === undefined && bytes.length >= this.located.state.size;
    if (inVain || this.#isUnsized) {
      // Later requests are not offered it.
      this.representations = this.representations.filter((one) => {
        return one.source !== undefined || !this.#isUnsized && one !== representation;
      });
      return bytes;
    }
    // As they are, and in the response that is ready.
    onHeld(2 * bytes.length);
    return representation.bytes = bytes;
  }

  async #read(located: Located): Promise<Uint8Array> {
    const bytes = await readLocated(located, this.#mayHaveGrown);
    this.#isUnsized ||= bytes.length !== located.state.size;
    return bytes;
  }
}

/** The time that a change of the content would change. */
function datedBy({ mtimeMs, ctimeMs }: FileState): number {
  return isNaN(mtimeMs) ? ctimeMs : mtimeMs;
}

/**
 * Whether a change from now on would show another time than this one: the clocks of kernels tick
 * every 10 ms or faster, but some file systems, and Deno for changes of the inode, know the second
 * only, or every other one.
 */
function isPast(time: number, now: number): boolean {
  return Math.abs(now - time) >= (time % 1000 === 0 ? 2000 : 20);
}

/** The functions and options that make and check resources. */
export interface ResourceInit {
  readonly root: string;
  /** Whether the server compresses. */
  readonly compress: boolean;
  /** Whether siblings that hold a file compressed are looked for. */
  readonly siblings: boolean;
  /** Types by extension that count more than the usual ones. */
  readonly types: MediaTypes;
  /** The time by the server's clock. */
  readonly now: number;
  /** Whether what is read may be the start of a file that grows all the time, as a log does. */
  readonly mayHaveGrown: boolean;
}

/** The first bytes of a file. Rejects as `openLocated()` does. */
async function headOf(located: Located, { mayHaveGrown }: ResourceInit): Promise<Uint8Array> {
  const handle = await openLocated(located, mayHaveGrown);
  try {
    const head = new Uint8Array(Math.min(HEAD_BYTES, located.state.size));
    return head.subarray(0, await readFully(handle, head, 0));
  } finally {
    await handle.close();
  }
}

interface Sibling {
  readonly coding: Coding;
  readonly path: string;
  readonly source: Located;
}

/** The siblings that hold the file compressed, and not an older state of it. */
async function findSiblings(
  path: string,
  type: string,
  { root, state }: Located,
  among?: readonly Representation[],
): Promise<Sibling[]> {
  if (!mayHaveSiblings(type)) return [];
  const found = await Promise.all(SIBLINGS.map(async ([coding, extension]) => {
    if (among?.some((representation) => representation.coding === coding) === false) return [];
    try {
      const sibling = path + extension;
      const source = await locateBelow(root, sibling);
      // Not if one of the times is unknown, either.
      const isOlder = !(source.state.mtimeMs >= state.mtimeMs);
      if (source.state.kind !== "file" || isOlder || source.state.size > MOST_BYTES) return [];
      await checkReadable(source);
      return [{ coding, path: sibling, source }];
    } catch {
      // None, or none that may be served: the file itself does.
      return [];
    }
  }));
  return found.flat();
}
