/**
 * The commands of Telnet (RFC 854) beside text: commands and offers, which begin with a byte that
 * no text in UTF-8 has.
 *
 * @module
 */

/** The byte before each command ("Interpret As Command"). */
const IAC = 255;

// The commands that matter; those from EOF (236, RFC 1184) on are the others.
const [WILL, WONT, DO, DONT] = [251, 252, 253, 254];
const [SB, SE] = [250, 240];
const [DATA_MARK, BREAK, INTERRUPT, ABORT_OUTPUT, ARE_YOU_THERE] = [242, 243, 244, 245, 246];
const FIRST_COMMAND = 236;

/** Behind CR, NUL says that the CR is not a part of a line end. */
const [NUL, CR] = [0, 13];

/** The answer to Are You There, which people are to see. */
const YES = new TextEncoder().encode("[Yes]\n");

/** An option whose every request is to be answered when all before it was taken (RFC 860). */
const TIMING_MARK = 6;

/** The most bytes of an option's parameters. Longer input is text. */
const MOST_OF_OPTION = 512;

type State = "text" | "command" | "offer" | "option" | "command in option";

/**
 * Takes the commands and the NUL after each CR out of what one client sends, however it is cut into pieces. All options are
 * refused, so both sides stay as they are: that is what an answer to each offer says, and refusals
 * of the client get none. `answer` takes the bytes to send back.
 */
export class TelnetCommands {
  readonly #answer: (bytes: Uint8Array) => void;
  #state: State = "text";
  /** The verb before the option: WILL, WONT, DO or DONT. */
  #verb = 0;
  #optionBytes = 0;
  /**
   * The client has interrupted, and Data Mark is to come: as urgent data, of which the kernel keeps
   * the last byte for itself, so that the IAC before it may be all that comes.
   */
  #markDue = false;
  /** The last byte of the text so far is CR. */
  #behindCr = false;

  constructor(answer: (bytes: Uint8Array) => void) {
    this.#answer = answer;
  }

  /** Moves the text in `bytes` together, and returns it. */
  textOf(bytes: Uint8Array): Uint8Array {
    if (this.#state === "text" && !bytes.includes(IAC) && !bytes.includes(NUL)) {
      if (bytes.length > 0) this.#behindCr = bytes.at(-1) === CR;
      return bytes;
    }
    let length = 0;
    for (const byte of bytes) if (this.#isText(byte)) bytes[length++] = byte;
    return bytes.subarray(0, length);
  }

  #isText(byte: number): boolean {
    switch (this.#state) {
      case "text":
        if (byte !== IAC) {
          const padding = byte === NUL && this.#behindCr;
          this.#behindCr = byte === CR;
          return !padding;
        }
        this.#state = "command";
        return false;
      case "command":
        return this.#onCommand(byte);
      case "offer":
        this.#state = "text";
        this.#refuse(byte);
        return false;
      case "option":
        if (++this.#optionBytes > MOST_OF_OPTION) this.#state = "text";
        else if (byte === IAC) this.#state = "command in option";
        return false;
      case "command in option":
        this.#state = byte === SE ? "text" : "option";
        // Only an IAC that is doubled belongs to it. Any other command means that its end is missing.
        return byte === SE || byte === IAC ? false : this.#onCommand(byte);
    }
  }

  #onCommand(byte: number): boolean {
    this.#state = "text";
    if (byte >= WILL && byte <= DONT) {
      this.#state = "offer";
      this.#verb = byte;
      return false;
    }
    if (byte === SB) {
      this.#state = "option";
      this.#optionBytes = 0;
      return false;
    }
    if (byte === BREAK || byte === INTERRUPT || byte === ABORT_OUTPUT) {
      this.#markDue = true;
      return false;
    }
    if (byte === ARE_YOU_THERE) this.#answer(YES);
    const markMissing = this.#markDue && byte !== DATA_MARK;
    this.#markDue = false;
    if (byte === IAC) {
      // Doubled it stands for itself.
      if (markMissing) this.#state = "command";
      return !markMissing;
    }
    // No client has a use for those before Data Mark without an option: it is the text after.
    return byte < FIRST_COMMAND || markMissing && byte < DATA_MARK;
  }

  #refuse(option: number): void {
    if (this.#verb === WILL) this.#answer(Uint8Array.of(IAC, DONT, option));
    if (this.#verb !== DO) return;
    this.#answer(Uint8Array.of(IAC, option === TIMING_MARK ? WILL : WONT, option));
  }
}
