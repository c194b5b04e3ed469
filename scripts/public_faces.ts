// What the programs take of the library: what everybody can, and a short list besides.

import { posix } from "node:path";

/** A name that a file takes from another one. Both are paths from the root of the project. */
export interface Taken {
  readonly from: string;
  readonly to: string;
  readonly name: string;
}

/** Names that are not public, and that the programs take all the same. */
export interface Face {
  readonly names: readonly string[];
  /** Why. */
  readonly reason: string;
}

/** By module: these are the faces that the library has for its own programs alone. */
export const PROGRAM_FACES: Readonly<Record<string, Face>> = {
  "lib/files/make_site.ts": {
    names: ["makeSite"],
    reason: "a site without --upload does not load the parser of forms, which takes 15 ms",
  },
  "lib/files/upload.ts": {
    names: ["import()"],
    reason: "--upload alone needs it",
  },
  "lib/net/conn_base.ts": {
    names: ["WrappedListener"],
    reason: "the listener that watches for a lack of descriptors keeps the contract",
  },
  "lib/observe/tls_wire.ts": {
    names: ["import()"],
    reason: "--record-wire wraps the sockets before TLS, which is for a recording alone",
  },
  "lib/protocols/chat/nats/url.ts": {
    names: ["natsPlace"],
    reason: "--bus is checked when the command line is read, and shown without its password",
  },
};

/** What `import()` takes: which name, the statement does not tell. */
const SOMETHING = "import()";

/** The names that a module's statements name, with where each comes from. */
export function takenBy(path: string, text: string): Taken[] {
  const statements = text.matchAll(
    /^(?:import|export) (?:type )?(?:\{([^}]*)\}|(\*)[^;"]*) from "(\.[^"]+)"/gm,
  );
  const place = (source: string) => posix.join(posix.dirname(path), source);
  const later = Array.from(text.matchAll(/\bimport\("(\.[^"]+)"\)/g), ([, source]) => {
    return { from: path, to: place(source), name: SOMETHING };
  });
  return Array.from(statements, ([, list, all, source]) => {
    const names = all === undefined ? list.split(",") : [all];
    const to = place(source);
    return names.map((name) => name.trim().replace(/^type /, "").replace(/ as .*/s, ""))
      .filter((name) => name !== "")
      .map((name) => ({ from: path, to, name }));
  }).flat().concat(later);
}

/** Where the programs are. */
const PROGRAMS = "lib/cli/";

/** All names of these are free to take: the programs' own files, and the values of `base/`. */
const OPEN = [PROGRAMS, "lib/base/"];

/**
 * What is wrong with what the programs take, each as a line: what is neither public nor in the list,
 * and what is in the list though nobody takes it. `faces` are the texts of public modules by their paths.
 */
export function wrongFaces(
  programs: readonly Taken[],
  faces: Readonly<Record<string, string>>,
  list: Readonly<Record<string, Face>> = PROGRAM_FACES,
): string[] {
  const key = ({ to, name }: Pick<Taken, "to" | "name">) => `${to}: ${name}`;
  const open = new Set(
    Object.entries(faces).flatMap(([path, text]) => takenBy(path, text)).map(key),
  );
  const listed = Object.entries(list)
    .flatMap(([to, { names }]) => names.map((name) => key({ to, name })));
  const taken = programs.filter(({ from, to }) =>
    from.startsWith(PROGRAMS) && !OPEN.some((folder) => to.startsWith(folder)) &&
    !Object.hasOwn(faces, to)
  ).filter((one) => !open.has(key(one)));
  const known = new Set(listed);
  const modules = new Set([...open, ...known].map((one) => one.split(": ")[0]));
  const isKnown = (one: Taken) =>
    one.name === SOMETHING ? modules.has(one.to) : known.has(key(one));
  const used = new Set(taken.map(key));
  return [
    ...taken.filter((one) => !isKnown(one))
      .map((one) => `${one.from}: takes what is not public, ${key(one)}`),
    ...listed.filter((one) => !used.has(one)).map((one) => `no program takes ${one}`),
  ];
}
