// What the npm package is, whoever builds it: both builders put the code into `npm/esm/`.

import config from "../deno.json" with { type: "json" };
import testConfig from "../tests/deno.json" with { type: "json" };

/** The module that the package exports. */
export const ENTRY = "./mod.ts";

/** The package's commands, and the scripts behind them. */
export const COMMANDS: Readonly<Record<string, string>> = {
  "plainsocket": "./lib/cli/plainsocket.ts",
  "plainsocket-server": "./lib/cli/plainsocket_server.ts",
  "plainsocket-client": "./lib/cli/plainsocket_client.ts",
};

/** The files beside the code, copied as they are. */
export const DOCUMENTS: readonly string[] = ["README.md", "CHANGELOG.md", "LICENSE"];

/** The npm packages that a deno.json maps names to, with their versions. */
function npmPackages({ imports }: { imports: Readonly<Record<string, string>> }) {
  const npm = Object.entries(imports).filter(([, target]) => target.startsWith("npm:"));
  return Object.fromEntries(
    npm.map(([name, target]) => [name, target.slice(`npm:${name}@`.length)]),
  );
}

/** What the package needs to run. */
export const DEPENDENCIES: Readonly<Record<string, string>> = npmPackages(config);

/** What the sources need to compile, and users who write JavaScript do not. */
export const TYPES: Readonly<Record<string, string>> = { "@types/node": "^20.19.0" };

/** What the tests need. */
export const DEV_DEPENDENCIES: Readonly<Record<string, string>> = npmPackages(testConfig);

/** Where a builder puts what it makes of a source file. */
export function emitted(source: string, extension: ".js" | ".d.ts"): string {
  return source.replace("./", "esm/").replace(/\.ts$/, extension);
}

/** The package.json; `repository` is the one that npm's provenance statement must agree with. */
export function packageJson(repository?: string): Record<string, unknown> {
  return {
    name: "plainsocket",
    version: config.version,
    description: config.description,
    keywords: ["socket", "tcp", "net", "echo", "server", "client", "transport", "deno", "cli"],
    license: config.license,
    ...(repository === undefined ? {} : { repository: { type: "git", url: repository } }),
    type: "module",
    sideEffects: false,
    exports: {
      ".": { types: `./${emitted(ENTRY, ".d.ts")}`, default: `./${emitted(ENTRY, ".js")}` },
      "./package.json": "./package.json",
    },
    bin: Object.fromEntries(
      Object.entries(COMMANDS).map(([name, source]) => [name, emitted(source, ".js")]),
    ),
    files: ["esm/**/*.js", "esm/**/*.d.ts", "CHANGELOG.md"],
    engines: { node: ">=20" },
    dependencies: DEPENDENCIES,
    devDependencies: { ...TYPES, ...DEV_DEPENDENCIES },
  };
}
