// The lines that were said, the newest last. What others have said is text, and never becomes HTML.

const MOST_LINES = 10_000;
/** The number of pixels above the end that still count as the end. */
const NEAR = 40;

/**
 * Makes an element with a text.
 * @param {string} name
 * @param {string} text
 * @param {string} [className]
 */
export function element(name, text, className = "") {
  const made = document.createElement(name);
  made.textContent = text;
  made.className = className;
  return made;
}

/** See the file. */
export class Lines {
  /** What scrolls, and all lines in it. */
  #list;
  #all = document.createElement("div");
  #down;
  /** Whether the newest line is shown, and so the next ones will be. */
  #follows = true;

  /**
   * @param {HTMLElement} list
   * @param {HTMLElement} down the button that leads to the end
   */
  constructor(list, down) {
    this.#list = list;
    this.#down = down;
    list.append(this.#all);
    down.addEventListener("click", () => this.#toEnd());
    list.addEventListener("scroll", () => {
      this.#follows = this.#isAtEnd();
      if (this.#follows) down.hidden = true;
    });
    // How high a line is turns out when it is drawn; a keyboard or a turned phone changes the rest.
    const observer = new ResizeObserver(() => this.#follows && this.#toEnd());
    for (const element of [list, this.#all]) observer.observe(element);
  }

  /**
   * A line that somebody has said.
   * @param {string} name
   * @param {string} text
   * @param {boolean} own
   */
  said(name, text, own) {
    const words = document.createElement("span");
    // Each in a direction of its own: a name from right to left does not turn the words around.
    const who = element("strong", own ? `${name} (you)` : name);
    const what = element("bdi", text);
    words.append(who, " ", what);
    this.#add(words, own ? "own" : "");
    if (own) this.#toEnd();
  }

  /**
   * A line of the server or the page.
   * @param {string} text
   */
  note(text) {
    this.#add(element("span", text), "server");
  }

  #toEnd() {
    this.#follows = true;
    this.#list.scrollTop = this.#list.scrollHeight;
    this.#down.hidden = true;
  }

  /**
   * @param {HTMLElement} words
   * @param {string} className
   */
  #add(words, className) {
    const now = new Date();
    const time = document.createElement("time");
    time.dateTime = now.toISOString();
    time.textContent = now.toLocaleTimeString([], {
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
    });
    const line = element("p", "", className);
    line.append(time, words);
    this.#all.append(line);
    if (this.#all.childElementCount > MOST_LINES) this.#all.firstElementChild?.remove();
    if (this.#follows) this.#toEnd();
    else this.#down.hidden = false;
  }

  #isAtEnd() {
    const { scrollTop, scrollHeight, clientHeight } = this.#list;
    return scrollHeight - scrollTop - clientHeight < NEAR;
  }
}
