/**
 * The hub, which takes the events of a program while it runs, and has the picture of them for the
 * pages.
 *
 * @module
 */

import { type Clock, systemClock } from "../../base/clock.ts";
import { type Deferred, deferred } from "../../base/wait.ts";
import type { EventSink, SocketEvent } from "../../observe/events.ts";
import { redacting } from "../../recording/redact.ts";
import { RecordingEncoder } from "../../recording/encode.ts";
import type { RecordedEvent, RecordingHead, Redaction } from "../../recording/format.ts";
import { recordingHead } from "../../recording/head.ts";
import { Picture, PICTURE_BOUNDS, type PictureBounds } from "./picture.ts";

/** The bytes of each event that are kept; of the rest, only the size is. */
const DATA_KEPT = 4096;

/** Options of a {@linkcode Hub}. */
export interface HubOptions {
  /** The redaction, as of a recording. Default: `"fields"`. */
  readonly redaction?: Redaction;
  /** The title of the pages: the command that runs. */
  readonly title: string;
  /** The clock of the events. Default: the system's. */
  readonly clock?: Clock;
  /** Bounds other than the defaults. */
  readonly bounds?: PictureBounds;
}

/** The content of pages: a picture, and the head of its recording. */
export interface Watched {
  readonly title: string;
  readonly head: RecordingHead;
  readonly picture: Picture;
  /** The time now, in milliseconds since the start. */
  now(): number;
}

/** See the module. */
export class Hub implements Watched {
  readonly title: string;
  readonly head: RecordingHead;
  readonly picture: Picture;
  readonly sink: EventSink = (event) => this.#add(event);
  readonly #clock: Clock;
  readonly #zero: number;
  readonly #encoder: RecordingEncoder;
  readonly #redacted: (event: SocketEvent) => SocketEvent;
  #changed: Deferred<void> | undefined;

  constructor({ title, redaction = "fields", clock = systemClock, bounds }: HubOptions) {
    this.title = title;
    this.#clock = clock;
    this.#zero = clock.now();
    this.picture = new Picture(bounds ?? PICTURE_BOUNDS);
    this.head = recordingHead({ redaction });
    // Fields are covered here, before the data is shortened.
    const covered = redaction === "fields" ? "none" : redaction;
    this.#encoder = new RecordingEncoder({ ...this.head, redaction: covered }, this.#zero);
    this.#redacted = redaction === "fields" ? redacting() : (event) => event;
  }

  now(): number {
    return this.#clock.now() - this.#zero;
  }

  /** Resolves at the next change of the picture. */
  get changed(): Promise<void> {
    this.#changed ??= deferred();
    return this.#changed.promise;
  }

  #add(event: SocketEvent): void {
    const time = event.time - this.#zero;
    if ("data" in event) {
      const size = event.data.length;
      this.picture.add({ ...event, time, size } as RecordedEvent, this.#dataLines(event));
    } else this.picture.add({ ...event, time } as RecordedEvent, this.#encoder.lines(event));
    this.#changed?.resolve();
    this.#changed = undefined;
  }

  /** The first bytes, and the size of the rest. */
  #dataLines(event: Extract<SocketEvent, { readonly data: Uint8Array }>): string {
    const covered = this.#redacted(event) as typeof event;
    const { data } = covered;
    if (data.length <= DATA_KEPT) return this.#encoder.lines(covered);
    const first = this.#encoder.lines({ ...covered, data: data.subarray(0, DATA_KEPT) });
    return first + this.#encoder.sizeLine(covered, data.length - DATA_KEPT);
  }
}
