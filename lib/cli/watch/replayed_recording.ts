/**
 * A recording for the pages, as it was at any moment.
 *
 * @module
 */

import type { Recording, RecordingHead } from "../../recording/format.ts";
import { recordingLine } from "../../recording/line.ts";
import type { Watched } from "./hub.ts";
import { Picture } from "./picture.ts";

/** See the module. */
export class ReplayedRecording implements Watched {
  readonly title: string;
  readonly head: RecordingHead;
  /** The picture at its end. */
  readonly picture: Picture;
  /** The length of the recording, in milliseconds. */
  readonly duration: number;
  readonly #recording: Recording;
  /** The lines of each event, which every picture takes. */
  readonly #lines: readonly string[];
  /** When each event is there: not before those that stand before it. */
  readonly #moments: readonly number[];
  /** The picture that was asked for last, and how many events are in it. */
  #shown = { picture: new Picture(), count: 0 };

  /** `title` is what the pages are called. */
  constructor(recording: Recording, title: string) {
    this.title = title;
    this.head = recording.head;
    this.#recording = recording;
    this.#lines = recording.events.map(recordingLine);
    let latest = -Infinity;
    this.#moments = recording.events.map(({ time }) => latest = Math.max(latest, time));
    this.picture = this.at(Infinity);
    this.#shown = { picture: new Picture(), count: 0 };
    this.duration = this.picture.now;
  }

  now(): number {
    return this.duration;
  }

  /**
   * The picture at a moment, in milliseconds since the start; the next call changes it. A later moment
   * costs what has happened since, an earlier one all that happened before it.
   */
  at(time: number): Picture {
    const { events } = this.#recording;
    const { count } = this.#shown;
    if (count > 0 && this.#moments[count - 1] > time) {
      this.#shown = { picture: new Picture(), count: 0 };
    }
    const shown = this.#shown;
    const { length } = events;
    for (; shown.count < length && this.#moments[shown.count] <= time; shown.count++) {
      shown.picture.add(events[shown.count], this.#lines[shown.count]);
    }
    return shown.picture;
  }
}
