// The lines that were said, the newest last. What others have said is text, and never becomes HTML.

const MOST_LINES = 10_000;
/** So many pixels above the end still count as the end. */
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
  #list;
  #down;

  /**
   * @param {HTMLElement} list
   * @param {HTMLElement} down the button that leads to the end
   */
  constructor(list, down) {
    this.#list = list;
    this.#down = down;
    down.addEventListener("click", () => this.toEnd());
    list.addEventListener("scroll", () => {
      if (this.#isAtEnd()) down.hidden = true;
    });
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
    words.append(who, what);
    this.#add(words, own ? "own" : "");
    if (own) this.toEnd();
  }

  /**
   * A line of the server or the page.
   * @param {string} text
   */
  note(text) {
    this.#add(element("span", text), "server");
  }

  toEnd() {
    this.#list.scrollTop = this.#list.scrollHeight;
    this.#down.hidden = true;
  }

  /**
   * @param {HTMLElement} words
   * @param {string} className
   */
  #add(words, className) {
    const atEnd = this.#isAtEnd();
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
    this.#list.append(line);
    if (this.#list.childElementCount > MOST_LINES) this.#list.firstElementChild?.remove();
    if (atEnd) this.toEnd();
    else this.#down.hidden = false;
  }

  #isAtEnd() {
    const { scrollTop, scrollHeight, clientHeight } = this.#list;
    return scrollHeight - scrollTop - clientHeight < NEAR;
  }
}
