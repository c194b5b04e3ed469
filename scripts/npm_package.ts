// What the npm package is, whoever compiles its code.

import config from "../deno.json" with { type: "json" };
import testConfig from "../tests/deno.json" with { type: "json" };

/** The package's name on npm; on JSR it is the one in `deno.json`. */
export const NAME = "plainsocket";

/** The entry points of the package, as on JSR, and the modules behind them. */
export const EXPORTS: Readonly<Record<string, string>> = config.exports;

/** Those whose types need those of Node: the programs, which are commands on npm, too, and streams. */
export const NODE_TYPES_NEEDED: readonly string[] = ["./server", "./client", "./streams"];

/** The package's commands, and the scripts behind them. */
export const COMMANDS: Readonly<Record<string, string>> = {
  "plainsocket": "./lib/cli/plainsocket.ts",
};

/** The files of the package beside the code, and those that they are copies of. */
export const DOCUMENTS: Readonly<Record<string, string>> = {
  "README.md": "README.md",
  "CHANGELOG.md": "CHANGELOG.md",
  "LICENSE": "LICENSE",
  "recording.schema.json": "docs/recording.schema.json",
};

/** The folder of the live page. */
export const LIVE_PAGE = "lib/cli/watch/page";

/** The folders of files that the code reads when it runs, in the sources and in the code. */
export const PAGES: readonly string[] = [LIVE_PAGE, "lib/cli/commands/chat/page"];

/** The npm packages that a deno.json maps names to, with their versions. */
function npmPackages({ imports }: { imports: Readonly<Record<string, string>> }) {
  const npm = Object.entries(imports).filter(([, target]) => target.startsWith("npm:"));
  return Object.fromEntries(
    npm.map(([name, target]) => [name, target.slice(`npm:${name}@`.length)]),
  );
}

/** What only some users need, and install themselves: a bus for the chat. */
const OPTIONAL = /^@nats-io\//;

function packagesThat(isWanted: (name: string) => boolean): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(npmPackages(config)).filter(([name]) => isWanted(name)));
}

/** What the package needs to run. */
export const DEPENDENCIES: Readonly<Record<string, string>> = packagesThat((name) => {
  return !OPTIONAL.test(name);
});

/** What it imports only if it is asked to. */
export const PEERS: Readonly<Record<string, string>> = packagesThat((name) => OPTIONAL.test(name));

/** What the sources need to compile, and users who write JavaScript do not. */
export const TYPES: Readonly<Record<string, string>> = { "@types/node": "^20.19.0" };

/** What the tests need. */
export const DEV_DEPENDENCIES: Readonly<Record<string, string>> = npmPackages(testConfig);

/** The folder of the code in the package. */
export const CODE = "esm";

/** What a source file is compiled to, in the folder of the code. */
export function compiledTo(source: string, extension: ".js" | ".d.ts"): string {
  return source.replace("./", "").replace(/\.ts$/, extension);
}

/** The package.json; `repository` is the one that npm's provenance statement must agree with. */
export function packageJson(repository?: string): Record<string, unknown> {
  const exports = Object.fromEntries(
    Object.entries(EXPORTS).map(([name, source]) => [name, {
      types: `./${CODE}/${compiledTo(source, ".d.ts")}`,
      default: `./${CODE}/${compiledTo(source, ".js")}`,
    }]),
  );
  return {
    name: NAME,
    version: config.version,
    description: config.description,
    keywords: ["socket", "tcp", "net", "echo", "server", "client", "transport", "deno", "cli"],
    license: config.license,
    ...(repository === undefined ? {} : { repository: { type: "git", url: repository } }),
    type: "module",
    sideEffects: false,
    // For compilers and tools that do not know `exports`, such as TypeScript's "node" resolution.
    main: exports["."].default,
    types: exports["."].types,
    typesVersions: {
      "*": Object.fromEntries(
        Object.entries(exports).filter(([name]) => name !== ".")
          .map(([name, { types }]) => [name.replace("./", ""), [types]]),
      ),
    },
    exports: {
      ...exports,
      "./recording.schema.json": "./recording.schema.json",
      "./package.json": "./package.json",
    },
    bin: Object.fromEntries(
      Object.entries(COMMANDS)
        .map(([name, source]) => [name, `${CODE}/${compiledTo(source, ".js")}`]),
    ),
    files: [CODE, "CHANGELOG.md", "recording.schema.json"],
    engines: { node: ">=20" },
    dependencies: DEPENDENCIES,
    peerDependencies: Object.fromEntries(
      Object.entries(PEERS).map(([name, version]) => [name, `^${version}`]),
    ),
    peerDependenciesMeta: Object.fromEntries(
      Object.keys(PEERS).map((name) => [name, { optional: true }]),
    ),
    devDependencies: { ...TYPES, ...PEERS, ...DEV_DEPENDENCIES },
  };
}
