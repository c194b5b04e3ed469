/**
 * The URL of a room on NATS: `nats://[USER:PASSWORD@ | TOKEN@]HOST[:PORT][/ROOM]`.
 *
 * @module
 */

/** The server and the room that a URL names. */
export interface NatsPlace {
  /** HOST:PORT. */
  readonly server: string;
  readonly user: string | undefined;
  readonly pass: string | undefined;
  readonly token: string | undefined;
  /** The subjects of lines, and of who is there. */
  readonly lines: string;
  readonly presence: string;
  /** The name of the stream that keeps the lines. */
  readonly stream: string;
}

const FORM = "nats://HOST:4222, or nats://USER:PASSWORD@HOST:4222/ROOM";

/** Takes such a URL apart. Throws a RangeError if it is not valid. */
export function natsPlace(text: string): NatsPlace {
  let url: URL;
  try {
    // As one of HTTP, since the runtimes take other hosts apart in different ways.
    url = new URL(text.replace(/^nats:/i, "http:"));
  } catch {
    throw new RangeError(`takes ${FORM}`);
  }
  const room = url.pathname.slice(1) || "main";
  const rest = `${url.search}${url.hash}`;
  if (!/^nats:\/\//i.test(text) || url.hostname === "" || rest !== "") {
    throw new RangeError(`takes ${FORM}`);
  }
  if (!/^[\w-]{1,32}$/.test(room)) {
    throw new RangeError("takes a room of 1 to 32 letters of ASCII, digits, '-' and '_'");
  }
  const [username, password] = [decoded(url.username), decoded(url.password)];
  const hasPassword = password !== "";
  const port = /:80(?:\/|$)/.test(text) ? "80" : url.port || "4222";
  return {
    server: `${url.hostname}:${port}`,
    user: hasPassword ? username : undefined,
    pass: hasPassword ? password : undefined,
    token: !hasPassword && username !== "" ? username : undefined,
    lines: `plainsocket.chat.${room}.lines`,
    presence: `plainsocket.chat.${room}.presence`,
    stream: `plainsocket-chat-${room}`,
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new RangeError("takes '%' in a user, a password or a token as '%25'");
  }
}
