// The page of the chat: who is there, what they say, and a field to say something.

import { Connection } from "./connection.js";
import { element, Lines } from "./lines.js";

const NAME_KEY = "chat-name";
/** The most bytes of a line; the server drops longer ones. */
const MOST_BYTES = 1000;
/** Names beyond this many are only counted. */
const MOST_NAMES = 500;

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @returns {T}
 */
const byId = (id) => /** @type {T} */ (document.getElementById(id));

const state = byId("state");
const retry = byId("retry");
const who = byId("who");
/** @type {HTMLInputElement} */
const text = byId("text");
/** @type {HTMLInputElement} */
const name = byId("name");
/** @type {HTMLButtonElement} */
const send = byId("send");
const lines = new Lines(byId("lines"), byId("down"));

/** What this one is called. */
let me = "";
/** What the user wants to be called; "" if any name will do. */
let wanted = remembered();
/** @type {Set<string>} */
let people = new Set();
/** The number of others, whose names the server did not list. */
let more = 0;

/**
 * The last line that is kept and was heard; undefined if none is kept.
 * @type {{ epoch: string, offset: number } | undefined}
 */
let position;

const connection = new Connection(url, { onMessage, onState });

/** Where to connect, with the position behind which lines are missing. */
function url() {
  const url = new URL("ws", location.href);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  if (position !== undefined) {
    url.search = `epoch=${encodeURIComponent(position.epoch)}&offset=${position.offset}`;
  }
  return url.href;
}

/**
 * @param {"wait" | "open" | "lost" | "left"} now
 * @param {number} seconds
 * @param {string} reason
 */
function onState(now, seconds, reason) {
  const why = reason === "" ? "No connection" : `Closed: ${reason}`;
  const words = {
    wait: "Connecting…",
    open: "Connected",
    lost: `${why}. Again in ${seconds} s`,
    left: "You have left.",
  };
  if (state.dataset.state === "open" && now === "lost") lines.note(`${why}.`);
  state.textContent = words[now];
  state.dataset.state = now;
  retry.hidden = now !== "lost" && now !== "left";
  retry.textContent = now === "left" ? "Come back" : "Try now";
  send.disabled = now !== "open";
  if (now === "open") return;
  people.clear();
  more = 0;
  showPeople();
}

/** @param {any} message as lib/protocols/chat/room_messages.ts has it */
function onMessage(message) {
  position = message.position ?? position;
  switch (message.type) {
    case "welcome":
      people = new Set([...message.others, message.name]);
      more = message.more ?? 0;
      setMe(message.name);
      lines.note(`You are ${me}.`);
      if (wanted !== "" && wanted !== me) connection.send(`/nick ${wanted}`);
      break;
    case "you":
      people.delete(me);
      people.add(message.name);
      setMe(message.name);
      setWanted(me);
      lines.note(`You are ${me} now.`);
      break;
    case "said":
      return lines.said(message.name, message.text, message.name === me);
    case "joined":
      people.add(message.name);
      lines.note(`${message.name} is here.`);
      break;
    case "left":
      people.delete(message.name);
      lines.note(`${message.name} has left.`);
      // A connection of ours that was lost may have held the name until now.
      if (message.name === wanted && wanted !== me) connection.send(`/nick ${wanted}`);
      break;
    case "renamed":
      people.delete(message.name);
      people.add(message.newName);
      lines.note(`${message.name} is ${message.newName} now.`);
      break;
    case "people":
      people = new Set(message.names);
      more = message.more ?? 0;
      lines.note("Many came or left.");
      break;
    case "gap":
      return lines.note("Some lines are missing here.");
    case "notice":
      return lines.note(message.text);
  }
  showPeople();
}

/** @param {string} newName */
function setMe(newName) {
  me = newName;
  if (document.activeElement !== name) name.value = me;
}

function showPeople() {
  byId("count").textContent = String(people.size + more);
  const shown = [...people].sort((a, b) => a.localeCompare(b)).slice(0, MOST_NAMES);
  const items = shown.map((one) =>
    one === me ? element("li", `${one} (you)`, "own") : element("li", one)
  );
  const rest = people.size + more - shown.length;
  if (rest > 0) items.push(element("li", `and ${rest} more`));
  byId("names").replaceChildren(...items);
}

/**
 * The name of last time: that of this tab, or of the last one. There is none where the browser keeps
 * nothing.
 */
function remembered() {
  try {
    return sessionStorage.getItem(NAME_KEY) ?? localStorage.getItem(NAME_KEY) ?? "";
  } catch {
    return "";
  }
}

/** @param {string} newName */
function setWanted(newName) {
  wanted = newName;
  try {
    for (const storage of [sessionStorage, localStorage]) storage.setItem(NAME_KEY, newName);
  } catch {
    // It holds until the page is left.
  }
}

/** @param {boolean} shown */
function showAside(shown) {
  document.body.classList.toggle("shows-people", shown);
  who.setAttribute("aria-expanded", String(shown));
}

byId("say").addEventListener("submit", (event) => {
  event.preventDefault();
  // What cannot be sent stays in the field.
  if (text.value.trim() === "" || !connection.isOpen) return;
  const size = new TextEncoder().encode(text.value).length;
  if (size > MOST_BYTES) return lines.note(`That has ${size} bytes: ${MOST_BYTES} can be sent.`);
  connection.send(text.value);
  text.value = "";
  text.focus();
});

byId("rename").addEventListener("submit", (event) => {
  event.preventDefault();
  const given = name.value.trim();
  // A name that is refused is not asked for again.
  if (!connection.isOpen) setWanted(given);
  else if (given !== "" && given !== me) connection.send(`/nick ${given}`);
  name.blur();
  showAside(false);
});

name.addEventListener("blur", () => name.value = me);
who.addEventListener("click", () => showAside(who.getAttribute("aria-expanded") === "false"));
addEventListener("keydown", ({ key }) => key === "Escape" && showAside(false));
retry.addEventListener("click", () => connection.open());
addEventListener("online", () => connection.retry());
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") connection.retry();
});
// The keyboard of some phones covers the page, and does not make it smaller.
visualViewport?.addEventListener("resize", () => {
  document.documentElement.style.setProperty("--height", `${visualViewport?.height}px`);
});
