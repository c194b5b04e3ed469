/**
 * The option `--type`: media types by extension.
 *
 * @module
 */

import { isMediaType } from "../../../base/header_fields.ts";
import type { MediaTypes } from "../../../files/media_type.ts";
import { type Flag, UsageError } from "../../io/flags.ts";
import { escapedText } from "../../io/quote.ts";

/** The flag; of the same extension the last one counts. */
export function typeFlag(): Flag<MediaTypes> {
  const parse = (text: string, sofar: MediaTypes) => {
    const [, extension, type = ""] = /^\.?([^./=\s]+)=(.*)$/s.exec(text) ?? [];
    if (extension === undefined || !isMediaType(type)) {
      const example = "an extension and a media type, as ts=video/mp2t";
      throw new UsageError(`takes ${example}, not "${escapedText(text)}"`);
    }
    return { ...sofar, [extension.toLowerCase()]: type };
  };
  const help = "the media type of files with this extension; repeatable";
  return { arg: "EXT=TYPE", help, fallback: {}, parse };
}
