/**
 * The progress of a download, on one line of a terminal.
 *
 * @module
 */

import type { Clock } from "../../../base/clock.ts";
import { escapeText } from "../../../base/escape.ts";
import { formatSize } from "../../../base/size.ts";
import type { ProgramOutput } from "../../io/program_output.ts";
import type { Io } from "../../io/io.ts";

const REFRESH_MS = 200;
const WIDEST_BAR = 24;
/** A shorter bar shows nothing. */
const NARROWEST_BAR = 4;
/** As much of a name is shown before there is a bar. */
const NAME = 20;

/** Shows how far `size` is on the way to `total`, several times a second. */
export class Progress {
  readonly #stderr: ProgramOutput;
  readonly #clock: Clock;
  readonly #name: string;
  readonly #size: () => number;
  #total: number | undefined;
  #first = 0;
  #since = 0;
  #cancel: (() => void) | undefined;

  /** `size` is the number of bytes. */
  constructor({ stderr, clock }: Io, name: string, size: () => number) {
    this.#stderr = stderr;
    this.#clock = clock;
    this.#name = escapeText(name);
    this.#size = size;
  }

  /** An attempt has begun, which is to bring all of `total` bytes, if that is known. */
  start(total: number | undefined): void {
    this.hide();
    this.#total = total;
    this.#first = this.#size();
    this.#since = this.#clock.now();
    this.#refresh();
  }

  /** Makes room for something else. */
  hide(): void {
    if (this.#stop()) this.#stderr.write("\r\x1b[K");
  }

  /** It is done: the line stays as it is now. */
  end(): void {
    if (!this.#stop()) return;
    this.#draw();
    this.#stderr.write("\n");
  }

  /** Returns whether the line was shown until now. */
  #stop(): boolean {
    const shown = this.#cancel !== undefined;
    this.#cancel?.();
    this.#cancel = undefined;
    return shown;
  }

  #refresh(): void {
    this.#draw();
    this.#cancel = this.#clock.setTimer(REFRESH_MS, () => this.#refresh());
  }

  #draw(): void {
    const seconds = (this.#clock.now() - this.#since) / 1000;
    const size = this.#size();
    const width = (this.#stderr.columns || 80) - 1;
    const line = progressLine(this.#name, size, this.#total, size - this.#first, seconds, width);
    this.#stderr.write(`\r${line}\x1b[K`);
  }
}

/**
 * The line, at most `width` wide: `bytes` of `size` came in the last `seconds`. The rate and the
 * time left are there as long as they fit; for them the bar, the name, and the rest give way.
 */
export function progressLine(
  name: string,
  size: number,
  total: number | undefined,
  bytes: number,
  seconds: number,
  width: number,
): string {
  const rate = seconds > 0 ? bytes / seconds : 0;
  const speed = `${formatSize(rate)}/s`;
  if (total === undefined) {
    const facts = fitting([` ${formatSize(size)}  ${speed}`, speed], width);
    return named(name, facts, width - facts.length);
  }
  const done = total === 0 ? 1 : Math.min(1, size / total);
  const percent = `${Math.floor(done * 100)}%`.padStart(4);
  const left = size >= total ? clock(seconds) : rate > 0 ? clock((total - size) / rate) : "-:--";
  const last = `${speed}  ${left}${size >= total ? "" : " left"}`;
  const of = `${formatSize(size)} of ${formatSize(total)}`;
  const facts = fitting([`${percent} ${of}  ${last}`, `${percent} ${last}`, last], width);
  // For the name and the bar, with the spaces and brackets around them.
  const room = width - facts.length;
  const bar = barOf(done, Math.min(WIDEST_BAR, room - Math.min(NAME, name.length) - 4));
  return named(name, `${bar}${facts}`, room - bar.length);
}

/** The first of these texts that fits into `width`; what fits of the last if none does. */
function fitting(texts: readonly string[], width: number): string {
  return texts.find(({ length }) => length <= width) ?? texts.at(-1)!.slice(0, width);
}

function barOf(done: number, width: number): string {
  if (width < NARROWEST_BAR) return "";
  return `[${"#".repeat(Math.round(done * width)).padEnd(width, "-")}] `;
}

/** Puts what fits of a name before `facts`: `room` is for it and the space after it. */
function named(name: string, facts: string, room: number): string {
  if (name.length < room) return `${name} ${facts}`;
  return room < 3 ? facts : `${name.slice(0, room - 2)}… ${facts}`;
}

function clock(seconds: number): string {
  const whole = Math.round(seconds);
  const parts = [Math.floor(whole / 60) % 60, whole % 60].map((n) => String(n).padStart(2, "0"));
  const hours = Math.floor(whole / 3600);
  return hours > 0 ? `${hours}:${parts.join(":")}` : parts.join(":").replace(/^0/, "");
}
