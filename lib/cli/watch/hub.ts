/**
 * The hub, which takes the events of a program while it runs, and has the picture of them for the
 * pages.
 *
 * @module
 */

import { type Clock, systemClock } from "../../base/clock.ts";
import { type Deferred, deferred } from "../../base/wait.ts";
import type { EventSink, SocketEvent } from "../../observe/events.ts";
import type { RecordingHead, Redaction } from "../../recording/format.ts";
import { recordingLine } from "../../recording/line.ts";
import { Recorder } from "../../recording/recorder.ts";
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
  readonly #recorder: Recorder;
  #changed: Deferred<void> | undefined;

  constructor({ title, redaction, clock = systemClock, bounds }: HubOptions) {
    this.title = title;
    this.#clock = clock;
    this.#zero = clock.now();
    this.picture = new Picture(bounds ?? PICTURE_BOUNDS);
    this.#recorder = new Recorder({ redaction, clock, eventLimit: DATA_KEPT });
    this.head = this.#recorder.head;
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
    const events = this.#recorder.eventsOf(event);
    const [first] = events;
    // The picture counts all bytes, also those that are not kept.
    const whole = "data" in event ? { ...first, size: event.data.length } : first;
    this.picture.add(whole, events.map(recordingLine).join(""));
    this.#changed?.resolve();
    this.#changed = undefined;
  }
}
