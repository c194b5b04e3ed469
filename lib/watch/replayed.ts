/**
 * A recording for the pages, as it was at any moment.
 *
 * @module
 */

import { lineOf } from "../recording/encode.ts";
import type { Recording, RecordingHead } from "../recording/format.ts";
import type { Watched } from "./hub.ts";
import { Picture } from "./picture.ts";

/** See the module. */
export class ReplayedRecording implements Watched {
  readonly title: string;
  readonly head: RecordingHead;
  /** The picture at its end. */
  readonly picture: Picture;
  /** How long it is, in milliseconds. */
  readonly duration: number;
  readonly #recording: Recording;

  /** `title` is what the pages are called. */
  constructor(recording: Recording, title: string) {
    this.title = title;
    this.head = recording.head;
    this.#recording = recording;
    this.picture = this.at(Infinity);
    this.duration = this.picture.now;
  }

  now(): number {
    return this.duration;
  }

  /** The picture at a moment, in milliseconds since the start. */
  at(time: number): Picture {
    const picture = new Picture();
    for (const event of this.#recording.events) {
      if (event.time <= time) picture.add(event, lineOf(event));
    }
    return picture;
  }
}
