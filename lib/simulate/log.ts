/**
 * The log of a simulation.
 *
 * @module
 */

import type { Clock } from "../base/clock.ts";
import type { SocketEvent } from "../observe/events.ts";
import { recordingLine } from "../recording/line.ts";
import { Recorder } from "../recording/recorder.ts";

/** Bytes. */
const BLOCK = 16 * 1024;

/** An event of a host, or a note. */
type Entry =
  | { readonly host: string; readonly event: SocketEvent }
  | { readonly time: number; readonly note: string };

/** A log. Its lines are made when they are asked for: nobody reads those of a run that succeeds. */
export class SimulationLog {
  readonly #recorder: Recorder;
  readonly #entries: Entry[] = [];
  #lines: readonly string[] | undefined;
  #ended = false;
  /** The buffer that is being filled, and how many of its bytes are. */
  #block = new Uint8Array(0);
  #used = 0;

  constructor(clock: Clock) {
    this.#recorder = new Recorder({ redaction: "none", clock });
  }

  /** Takes an event of a host, with a copy of its data. */
  add(host: string, event: SocketEvent): void {
    if (this.#ended) return;
    const own = "data" in event ? { ...event, data: this.#copy(event.data) } : event;
    this.#entries.push({ host, event: own });
  }

  /** Copies bytes after those of earlier events: a buffer for each would cost more than its bytes. */
  #copy(data: Uint8Array): Uint8Array {
    if (data.length > BLOCK) return new Uint8Array(data);
    if (this.#block.length - this.#used < data.length) {
      this.#block = new Uint8Array(BLOCK);
      this.#used = 0;
    }
    const copy = this.#block.subarray(this.#used, this.#used += data.length);
    copy.set(data);
    return copy;
  }

  note(time: number, note: string): void {
    if (!this.#ended) this.#entries.push({ time, note });
  }

  /** Ends the log. Later events are ignored. */
  end(): void {
    this.#ended = true;
  }

  /** Each event and each note as JSON, in the order in which they came. The log has ended. */
  get lines(): readonly string[] {
    return this.#lines ??= this.#entries.flatMap((entry) => this.#linesOf(entry));
  }

  /** The lines, with LF at the end of each. */
  get text(): string {
    return this.lines.map((line) => `${line}\n`).join("");
  }

  #linesOf(entry: Entry): string[] {
    if ("note" in entry) return [JSON.stringify(entry)];
    const prefix = `{"host":${JSON.stringify(entry.host)},`;
    return this.#recorder.eventsOf(entry.event)
      .map((recorded) => prefix + recordingLine(recorded).trimEnd().slice(1));
  }
}
