// The page: takes what the server says, draws it, and listens to keys.

import { Detail } from "./detail.js";
import { byId, h, setText } from "./dom.js";
import { count, time } from "./format.js";
import { List } from "./list.js";
import { Totals } from "./plots.js";

const TOKEN = new URLSearchParams(location.search).get("token") ?? "";

/**
 * The URL of what the server has, with the token.
 * @param {string} path
 * @param {Record<string, string>} [query]
 */
function urlOf(path, query = {}) {
  return `${path}?${new URLSearchParams({ ...query, token: TOKEN })}`;
}

const list = new List();
const totals = new Totals(byId("totals"));
/** @type {Detail | undefined} */
let detail;
/** @type {any} what the server said last of everything */
let last;
/** The time of the server minus that of this page. */
let ahead = 0;
/** The length of the recording. Undefined if a program runs. */
let duration = /** @type {number | undefined} */ (undefined);
let drawing = false;
/** @type {EventSource | undefined} */
let listStream;
/** @type {EventSource | undefined} */
let detailStream;

/**
 * Says how the page is doing.
 * @param {"live" | "paused" | "ended" | "wait" | "recording"} state
 * @param {string} words
 */
function say(state, words) {
  byId("status").dataset.state = state;
  setText(byId("status"), words);
}

/** Draws with the next frame, once for all that has come. */
function draw() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    if (last === undefined) return;
    const now = duration === undefined ? performance.now() + ahead : Number(scrub.value);
    list.now = now;
    list.draw();
    totals.draw(now, last.counts);
    if (detail !== undefined) {
      detail.now = now;
      detail.draw();
    }
  });
}

/**
 * Takes what has changed of the list.
 * @param {any} message
 */
function takeList(message) {
  last = message;
  ahead = message.now - performance.now();
  list.add(message.connections, message.gone, message.now);
  totals.add(message.seconds);
  list.left = message.counts.droppedConnections;
  const { listening, problems } = message;
  setText(byId("listening"), listening.length === 0 ? "" : `listening on ${listening.join(", ")}`);
  byId("listening").title = listening.join(", ");
  showProblems(problems);
  draw();
}

/**
 * Shows each error once, with how often it came.
 * @param {readonly { message: string }[]} problems
 */
function showProblems(problems) {
  /** @type {Map<string, number>} */
  const times = new Map();
  for (const { message } of problems) times.set(message, (times.get(message) ?? 0) + 1);
  const items = [...times].map(([message, n]) =>
    h("li", {}, `▲ ${message}${n === 1 ? "" : ` (${count(n)} times)`}`)
  );
  byId("problems").hidden = items.length === 0;
  byId("problems").replaceChildren(...items);
}

/**
 * A stream of messages of a program that runs.
 * @param {string} name of the messages
 * @param {Record<string, string>} query
 * @param {() => void} opened
 * @param {(message: any) => void} take
 */
function streamOf(name, query, opened, take) {
  const stream = new EventSource(urlOf("events", query));
  stream.addEventListener("open", opened);
  stream.addEventListener(name, (event) => take(JSON.parse(event.data)));
  return stream;
}

/** Follows the program, or stops while nobody looks. */
function follow() {
  listStream?.close();
  detailStream?.close();
  if (document.hidden) return say("paused", "paused");
  listStream = streamOf("list", {}, () => {
    list.clear();
    totals.clear();
    say("live", "live");
  }, takeList);
  const stream = listStream;
  stream.addEventListener("error", () => {
    // It answered, and refused: another window may have the last stream that there is.
    if (stream.readyState === EventSource.CLOSED && byId("status").dataset.state !== "ended") {
      return say("wait", "too many pages are open: close one, and reload this one");
    }
    say("ended", "the program has ended; this is what it did");
    // Another program may be at its port by then.
    setTimeout(() => stream.readyState === EventSource.OPEN || stream.close(), 5000);
  });
  followDetail();
}

/** Follows the connection that is open. */
function followDetail() {
  detailStream?.close();
  const shown = detail;
  if (shown === undefined) return;
  if (duration !== undefined) return void showMoment();
  detailStream = streamOf("events", { conn: `${shown.number}` }, () => shown.clear(), (message) => {
    shown.add(message);
    draw();
  });
  const stream = detailStream;
  stream.addEventListener("error", () => {
    // A program that has ended leaves what is shown.
    if (stream.readyState === EventSource.CLOSED) void explainMissing(shown);
  });
}

/**
 * Says what the server says of a connection that it does not have.
 * @param {Detail} shown
 */
async function explainMissing(shown) {
  const query = { conn: `${shown.number}`, format: "jsonl" };
  const response = await fetch(urlOf("download", query)).catch(() => undefined);
  if (response?.status === 404) shown.miss(await response.text());
}

/**
 * Shows a connection beside the list.
 * @param {number} number
 */
function show(number) {
  detail = new Detail(byId("detail"), number, urlOf);
  detail.onClose = close;
  document.body.classList.add("open");
  history.replaceState(null, "", `#${number}`);
  followDetail();
}

/**
 * Shows a connection, and puts the cursor there.
 * @param {number} number
 */
function open(number) {
  list.select(number);
  show(number);
  detail?.focus();
}

function close() {
  detailStream?.close();
  detail = undefined;
  byId("detail").hidden = true;
  document.body.classList.remove("open");
  history.replaceState(null, "", location.pathname + location.search);
  list.focus();
}

const scrub = /** @type {HTMLInputElement} */ (byId("at"));
let asking = false;

/** Shows a recording as it was at the moment that is chosen. */
async function showMoment() {
  setText(byId("moment"), `${time(Number(scrub.value))} of ${time(duration ?? 0)}`);
  scrub.setAttribute("aria-valuetext", time(Number(scrub.value)));
  if (asking) return;
  asking = true;
  const at = scrub.value;
  const shown = detail;
  try {
    const messages = await (await fetch(urlOf("picture", { at }))).json();
    const known = new Set(
      messages.flatMap((/** @type {any} */ { connections }) =>
        connections.map((/** @type {any} */ { number }) => number)
      ),
    );
    const gone = [...list.views.keys()].filter((number) => !known.has(number));
    totals.clear();
    for (const message of messages) takeList({ ...message, gone });
    if (shown !== undefined) await showMomentOf(shown, at, known.has(shown.number));
  } catch {
    say("ended", "the program has ended; this is what it showed");
  } finally {
    asking = false;
  }
  if (at !== scrub.value || shown !== detail) await showMoment();
}

/**
 * Shows one connection of a recording as it was at a moment.
 * @param {Detail} shown
 * @param {string} at
 * @param {boolean} isThere
 */
async function showMomentOf(shown, at, isThere) {
  if (!isThere) return shown.miss("There is no connection of this number at this moment.");
  const response = await fetch(urlOf("picture", { at, conn: `${shown.number}` }));
  if (!response.ok) return;
  shown.clear();
  for (const message of await response.json()) shown.add(message);
  draw();
}

/** Plays the recording from where it is, in about ten seconds. */
function play() {
  const button = byId("play");
  const isPlaying = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", `${isPlaying}`);
  setText(button, isPlaying ? "Pause" : "Play");
  if (!isPlaying) return;
  if (Number(scrub.value) >= (duration ?? 0)) scrub.value = "0";
  let before = performance.now();
  const step = (/** @type {number} */ now) => {
    if (button.getAttribute("aria-pressed") !== "true") return;
    scrub.value = `${Number(scrub.value) + (duration ?? 0) * (now - before) / 10_000}`;
    before = now;
    void showMoment();
    if (Number(scrub.value) < (duration ?? 0)) requestAnimationFrame(step);
    else play();
  };
  requestAnimationFrame(step);
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  const { key, target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const filter = byId("filter");
  if (key === "Escape") {
    if (target === filter) return void list.focus();
    if (detail !== undefined) close();
    return;
  }
  if (target instanceof HTMLInputElement) {
    if (target === filter && (key === "ArrowDown" || key === "Enter")) {
      list.focus();
      event.preventDefault();
    }
    return;
  }
  if (key === "/") {
    filter.focus();
    event.preventDefault();
    return;
  }
  const row = target instanceof HTMLElement ? target.closest("tbody tr") : null;
  const isFree = target === document.body || row !== null;
  if (!isFree) return;
  const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: 20, PageUp: -20, Home: -1e6, End: 1e6 };
  if (key in moves) {
    list.move(moves[/** @type {keyof typeof moves} */ (key)]);
    event.preventDefault();
  } else if (key === "Enter" && row instanceof HTMLElement) {
    list.onOpen(Number(row.dataset.number));
    event.preventDefault();
  }
}

async function start() {
  const response = await fetch(urlOf("about"));
  if (!response.ok) return say("ended", await response.text());
  const about = await response.json();
  setText(byId("title"), about.title);
  byId("title").title = about.title;
  document.title = `${about.title} · plainsocket`;
  duration = about.duration;
  list.onOpen = open;
  list.onClick = (number) => {
    show(number);
    // The arrow keys go on in the list, unless the connection is in its place.
    if (!byId("rows").checkVisibility()) detail?.focus();
  };
  list.onSelect = (number) => detail === undefined || detail.number === number || show(number);
  document.addEventListener("keydown", onKey);
  const asked = Number(location.hash.slice(1));
  if (duration === undefined) {
    document.addEventListener("visibilitychange", follow);
    follow();
    // Times go on where nothing else does.
    setInterval(() => document.hidden || byId("status").dataset.state !== "live" || draw(), 1000);
  } else {
    say("recording", "a recording");
    byId("scrub").hidden = false;
    scrub.max = `${duration}`;
    scrub.value = `${duration}`;
    scrub.addEventListener("input", () => void showMoment());
    byId("play").addEventListener("click", play);
    await showMoment();
  }
  if (asked > 0) open(asked);
}

await start();
