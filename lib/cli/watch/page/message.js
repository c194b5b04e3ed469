// One message: as text, hex, JSON, the fields of HTTP or frames; searched and copied.

import { curlOf, find, httpOf, jsonOf, wantedOf } from "./bytes.js";
import { h } from "./dom.js";
import { framesOf, FRAMINGS, guessFraming } from "./frames.js";
import { counted, hex, oneLine, safeLines, size, textOf } from "./format.js";

/** @typedef {import("./steps.js").Step} Step */

const LINE = 16;

/** The most frames of a step that are shown. */
const MOST_FRAMES = 500;

/** So much of a frame is shown. */
const MOST_PREVIEW = 200;

/** See the module. */
export class Message {
  element = h("section", {
    class: "message",
    "aria-label": "The step that is chosen",
    hidden: true,
  });
  /** @type {Step | undefined} */
  #step;
  /** The bytes before it in its direction. Undefined if not all of them are known. */
  /** @type {Uint8Array | undefined} */
  #before;
  #kind = "text";
  /** The framing that was chosen. */
  /** @type {string | undefined} */
  #framing;
  #search = h("input", {
    type: "search",
    placeholder: "Search: text, or 0x0d0a",
    "aria-label": "Search in the bytes",
    spellcheck: "false",
  });
  #found = h("span", { class: "found", role: "status" });
  #content = h("div", { class: "content", tabindex: "0", role: "region", "aria-label": "Content" });
  #copied = h("span", { role: "status", class: "copied" });

  constructor() {
    this.#search.addEventListener("input", () => this.#drawContent());
  }

  /**
   * @param {Step | undefined} step
   * @param {Uint8Array} [before] what came before it in its direction, if all of that is known
   */
  show(step, before) {
    this.#step = step;
    this.#before = before;
    this.element.hidden = step === undefined;
    if (step === undefined) return;
    this.element.replaceChildren(
      h("h3", {}, step.words.length > 90 ? `${step.words.slice(0, 90)}…` : step.words),
      ...this.#about(step),
      ...this.#data(step),
    );
    this.#drawContent();
  }

  /** @param {Step} step */
  #about({ kind, event, preview }) {
    const about = [];
    if (kind === "error" || kind === "fault") about.push(h("p", {}, preview));
    const { peerCertificate } = event;
    if (peerCertificate) {
      const rows = Object.entries(peerCertificate).filter(([, value]) => value);
      about.push(
        h(
          "dl",
          { class: "fields" },
          ...rows.map(([name, value]) =>
            h("div", {}, h("dt", {}, name), h("dd", {}, safeLines(String(value))))
          ),
        ),
      );
    }
    return about;
  }

  /** @param {Step} step */
  #data({ bytes, size: whole = 0, view }) {
    if (bytes === undefined || whole === 0) return [];
    if (bytes.length === 0) return [h("p", {}, `${size(whole)}, which are not kept.`)];
    const text = textOf(bytes);
    const http = text === undefined ? undefined : httpOf(text);
    const kinds = {
      text: "Text",
      hex: "Hex",
      ...(jsonOf(http?.body ?? text ?? "") === undefined ? {} : { json: "JSON" }),
      ...(http === undefined ? {} : { http: "HTTP" }),
      frames: "Frames",
    };
    if (!(this.#kind in kinds)) this.#kind = text === undefined ? "hex" : "text";
    const tabs = Object.entries(kinds).map(([kind, name]) =>
      h("button", {
        type: "button",
        "aria-pressed": `${kind === this.#kind}`,
        onclick: () => this.#choose(kind),
      }, name)
    );
    const curl = http === undefined
      ? undefined
      : curlOf(http, view.tls !== undefined, view.role === "accept" ? view.local : view.remote);
    return [
      h(
        "div",
        { class: "tools" },
        h("div", { role: "group", "aria-label": "Show as", class: "tabs" }, ...tabs),
        this.#search,
        this.#found,
        h("button", {
          type: "button",
          onclick: () => this.#copy(hex(bytes).replaceAll(" ", ""), "hex"),
        }, "Copy as hex"),
        curl !== undefined &&
          h(
            "button",
            { type: "button", onclick: () => this.#copy(curl, "a curl command") },
            "Copy as curl",
          ),
        this.#copied,
      ),
      whole > bytes.length
        ? h("p", { class: "kept" }, `The first ${size(bytes.length)} of ${size(whole)} are kept.`)
        : null,
      this.#content,
    ].filter((child) => child !== null);
  }

  /** @param {string} kind */
  #choose(kind) {
    this.#kind = kind;
    this.show(this.#step, this.#before);
    /** @type {HTMLElement | null} */ (this.element.querySelector('[aria-pressed="true"]'))
      ?.focus();
  }

  #drawContent() {
    const bytes = this.#step?.bytes;
    if (bytes === undefined) return;
    const wanted = wantedOf(/** @type {HTMLInputElement} */ (this.#search).value);
    const found = find(bytes, wanted);
    this.#found.textContent = wanted.length === 0
      ? ""
      : found.length === 0
      ? "not found"
      : counted(found.length, "place");
    const text = textOf(bytes) ?? new TextDecoder("latin1").decode(bytes);
    const http = httpOf(text);
    if (this.#kind === "frames") this.#content.replaceChildren(...this.#frames(bytes));
    else if (this.#kind === "http" && http !== undefined) {
      this.#content.replaceChildren(fieldsOf(http));
    } else if (this.#kind === "json") {
      this.#content.replaceChildren(
        h("pre", {}, ...marked(jsonOf(http?.body ?? text) ?? "", this.#query())),
      );
    } else if (this.#kind === "hex") {
      this.#content.replaceChildren(dump(bytes, found, wanted.length));
    } else this.#content.replaceChildren(h("pre", {}, ...marked(safeLines(text), this.#query())));
  }

  /**
   * The frames that this step has a part of.
   * @param {Uint8Array} bytes
   */
  #frames(bytes) {
    const before = this.#before ?? new Uint8Array();
    const stream = new Uint8Array(before.length + bytes.length);
    stream.set(before);
    stream.set(bytes, before.length);
    const framing = this.#framing ?? guessFraming(stream);
    const choice = h(
      "select",
      {
        "aria-label": "Framing",
        onchange: (/** @type {Event} */ { target }) => {
          this.#framing = /** @type {HTMLSelectElement} */ (target).value;
          this.#drawContent();
          this.#content.querySelector("select")?.focus();
        },
      },
      ...FRAMINGS.map((name) => h("option", { selected: name === framing }, name)),
    );
    const frames = framesOf(stream, framing).map((frame, i) => ({ ...frame, number: i + 1 }))
      .filter(({ to, whole }) => to > before.length || !whole);
    const more = frames.length - MOST_FRAMES;
    return [
      h("label", { class: "framing" }, "Framing ", choice),
      this.#before === undefined
        ? h("p", {}, "What came before is not all known: the first frame may begin earlier.")
        : "",
      h(
        "dl",
        { class: "fields" },
        ...frames.slice(0, MOST_FRAMES).map((frame) => frameRow(frame, stream, before.length)),
      ),
      more > 0 ? h("p", {}, `${counted(more, "more frame")}`) : "",
    ];
  }

  #query() {
    const { value } = /** @type {HTMLInputElement} */ (this.#search);
    return /^0x/i.test(value) ? textOf(wantedOf(value)) ?? "" : value;
  }

  /**
   * @param {string} text
   * @param {string} what
   */
  async #copy(text, what) {
    try {
      await navigator.clipboard.writeText(text);
      this.#copied.textContent = `copied as ${what}`;
    } catch {
      this.#copied.textContent = "the browser does not let this page copy";
    }
  }
}

/**
 * Text with what is searched for marked.
 * @param {string} text
 * @param {string} query
 */
function marked(text, query) {
  if (query === "") return [text];
  return text.split(query).flatMap((part, i) => i === 0 ? [part] : [h("mark", {}, query), part]);
}

/**
 * @param {import("./frames.js").Frame & { number: number }} frame
 * @param {Uint8Array} stream
 * @param {number} start where the step begins in it
 */
function frameRow({ number, from, to, size: length, whole, name = "", bytes }, stream, start) {
  const content = (bytes ?? stream.subarray(from, to)).subarray(0, MOST_PREVIEW);
  const text = textOf(content) ?? hex(content);
  const notes = [
    from < start && "begins in an earlier step",
    !whole && (length === undefined ? "not whole yet" : `${size(to - from)} so far`),
  ].filter(Boolean);
  const heading = [`${number}`, name, length === undefined ? "" : size(length), ...notes];
  return h(
    "div",
    {},
    h("dt", {}, heading.filter(Boolean).join(" · ")),
    h("dd", {}, oneLine(text), to - from > MOST_PREVIEW && "…"),
  );
}

/** @param {import("./bytes.js").HttpMessage} message */
function fieldsOf({ start, fields }) {
  return h(
    "dl",
    { class: "fields" },
    h("div", {}, h("dt", {}, "start line"), h("dd", {}, safeLines(start))),
    ...fields.map(([name, value]) =>
      h("div", {}, h("dt", {}, safeLines(name)), h("dd", {}, safeLines(value)))
    ),
  );
}

/**
 * Bytes as hex and as characters, 16 in a line.
 * @param {Uint8Array} bytes
 * @param {readonly number[]} found
 * @param {number} length
 */
function dump(bytes, found, length) {
  const marks = new Set(found.flatMap((at) => Array.from({ length }, (_, i) => at + i)));
  const pre = h("pre", { class: "dump" });
  for (let at = 0; at < bytes.length; at += LINE) {
    const line = bytes.subarray(at, at + LINE);
    pre.append(`${at.toString(16).padStart(4, "0")}  `);
    line.forEach((byte, i) => {
      const digits = byte.toString(16).padStart(2, "0");
      pre.append(marks.has(at + i) ? h("mark", {}, digits) : digits, i === 7 ? "  " : " ");
    });
    const pad = "   ".repeat(LINE - line.length) +
      (line.length <= 8 && line.length < LINE ? " " : "");
    const characters = [...line].map((byte) =>
      byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "."
    ).join("");
    pre.append(`${pad} ${characters}\n`);
  }
  return pre;
}
