/**
 * A directory over HTTP: files with ranges, conditions and compression, listings, uploads, and whole
 * sites with host names, passwords and CORS.
 *
 * @module
 */

export type { Credentials } from "../base/basic_auth.ts";
export type { Directory, FileOptions } from "./file_options.ts";
export { fileHandler } from "./files.ts";
export { statusOfError } from "./located_file.ts";
export type { MediaTypes } from "./media_type.ts";
export { siteHandler } from "./site.ts";
export type { SiteOptions } from "./site.ts";
