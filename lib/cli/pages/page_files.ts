/**
 * The files of a page, by the path that they are served at.
 *
 * @module
 */

/** A file of a page. */
export interface PageFile {
  readonly type: string;
  readonly text: string;
}

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html;charset=utf-8",
  css: "text/css;charset=utf-8",
  js: "text/javascript;charset=utf-8",
  svg: "image/svg+xml;charset=utf-8",
};

/** Gives each text, by its name, a path and a type; `index.html` is at `/`. */
export function pageFiles(texts: Readonly<Record<string, string>>): ReadonlyMap<string, PageFile> {
  return new Map(
    Object.entries(texts).map(([name, text]) => {
      const type = TYPES[name.replace(/^.*\./, "")];
      return [name === "index.html" ? "/" : `/${name}`, { type, text }];
    }),
  );
}
