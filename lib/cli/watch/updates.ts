/**
 * The changes that one page has not seen yet, as messages in JSON.
 *
 * @module
 */

import { safeJson } from "../../base/escape.ts";
import type { WatchedConnection } from "./connection.ts";
import type { Watched } from "./hub.ts";
import type { Picture } from "./picture.ts";

/** The most connections in one message; those left come in the next. */
const MOST_CONNECTIONS = 500;

/** The most events of one connection in one message. */
const MOST_EVENTS = 500;

/** The maker of the next message. */
export interface Updates {
  /** The name of the messages. */
  readonly name: string;
  /** The next message; undefined if there is nothing new. */
  next(): string | undefined;
}

/** The list of connections: what has changed since the last message. */
export class ListUpdates implements Updates {
  readonly name = "list";
  readonly #watched: Watched;
  readonly #picture: Picture;
  readonly #known = new Map<number, number>();
  #version = -1;
  #second = 0;

  /** `picture` is the one of `watched`, unless it is that of another moment. */
  constructor(watched: Watched, picture: Picture = watched.picture) {
    this.#watched = watched;
    this.#picture = picture;
  }

  next(): string | undefined {
    const picture = this.#picture;
    if (picture.version === this.#version) return undefined;
    const gone = [...this.#known.keys()].filter((number) => picture.get(number) === undefined);
    for (const number of gone) this.#known.delete(number);
    const changed = this.#changed();
    const all = changed.length < MOST_CONNECTIONS;
    const connections = all ? changed : changed.slice(0, MOST_CONNECTIONS);
    for (const { number, version } of connections) this.#known.set(number, version);
    // If changes are left, the next message follows at once.
    this.#version = all ? picture.version : -1;
    const seconds = picture.totals.since(this.#second);
    this.#second = seconds.at(-1)?.second ?? 0;
    return safeJson({
      now: this.#watched.now(),
      connections: connections.map((connection) => connection.view()),
      gone,
      listening: picture.listening,
      counts: picture.totals.counts,
      seconds,
      problems: picture.problems,
      more: !all,
    });
  }

  #changed(): WatchedConnection[] {
    const changed = [];
    for (const connection of this.#picture.connections) {
      if (this.#known.get(connection.number) !== connection.version) changed.push(connection);
    }
    return changed;
  }
}

/** The events of one connection, and of those that belong to it. */
export class ConnectionUpdates implements Updates {
  readonly name = "events";
  readonly #picture: Picture;
  readonly #connection: WatchedConnection;
  /** The number of the last event that was sent, by connection. */
  readonly #sent = new Map<WatchedConnection, number>();
  #version = -1;

  constructor(picture: Picture, connection: WatchedConnection) {
    this.#picture = picture;
    this.#connection = connection;
  }

  next(): string | undefined {
    const related = this.#picture.related(this.#connection);
    const version = related.reduce((sum, { version }) => sum + version, 0);
    if (version === this.#version) return undefined;
    const parts = related.map((connection) => this.#eventsOf(connection));
    const isAll = parts.every(({ all }) => all);
    this.#version = isAll ? version : -1;
    const races = new Set(related.flatMap(({ race }) => race ?? []));
    const resolved = [...races].flatMap((race) => {
      const lines = this.#picture.race(race)?.lines;
      return lines === undefined ? [] : `{"race":${race},"event":${lines.trimEnd()}}`;
    });
    return `{"of":${this.#connection.number},"connections":[${
      parts.map(({ json }) => json).join()
    }],"resolved":[${resolved.join()}]}`;
  }

  #eventsOf(connection: WatchedConnection): { json: string; all: boolean } {
    const after = this.#sent.get(connection) ?? 0;
    const entries = connection.history.since(after, MOST_EVENTS);
    this.#sent.set(connection, entries.at(-1)?.number ?? after);
    const view = safeJson(connection.view());
    const numbers = entries.map(({ number }) => number).join();
    const events = entries.map(({ lines }) => `[${lines.trimEnd().replaceAll("\n", ",")}]`).join();
    return {
      json: `{"view":${view},"numbers":[${numbers}],"events":[${events}]}`,
      all: entries.length < MOST_EVENTS,
    };
  }
}
