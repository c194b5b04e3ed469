// The files with certificates and keys that the command lines of all programs name.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createPrivateKey } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { selfSigned } from "../../lib/net/tls/self_signed.ts";
import { freshPath } from "../contract/networks.ts";
import { assertFailed, runClient, runServer, startServer } from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";

const own = await selfSigned(["localhost", "127.0.0.1"]);
const other = await selfSigned(["localhost"]);
const encrypted = createPrivateKey(own.key).export({
  type: "pkcs8",
  format: "pem",
  cipher: "aes-256-cbc",
  passphrase: "open sesame",
}) as string;

function der(pem: string): Buffer {
  return Buffer.from(pem.replace(/-----.*-----/g, ""), "base64");
}

const dir = freshPath();
mkdirSync(dir);
const at = (name: string) => join(dir, name);

const FILES: Readonly<Record<string, string | Uint8Array>> = {
  "cert.pem": own.cert,
  "key.pem": own.key,
  "both.pem": own.key + own.cert,
  "windows.pem": `\ufeff${own.cert + own.key}`.replaceAll("\n", "\r\n"),
  "encrypted.pem": encrypted,
  "encrypted_both.pem": encrypted + own.cert,
  "other.pem": other.key,
  "empty.pem": "",
  "text.pem": "hello\n",
  "cert.der": der(own.cert),
  "key.der": der(own.key),
  "passphrase": "open sesame\nand no more\n",
  "passphrase_windows": "\ufeffopen sesame\r\n",
  "passphrase_wrong": "abracadabra\n",
};
for (const [name, content] of Object.entries(FILES)) writeFileSync(at(name), content);
mkdirSync(at("folder"));

/** The options whose value is a name of one of the files, with the paths of these. */
function pathsOf(args: readonly string[]): string[] {
  return args.map((arg) => arg in FILES || arg === "folder" || arg === "none" ? at(arg) : arg);
}

for (
  const args of [
    ["--tls-cert", "cert.pem", "--tls-key", "key.pem"],
    ["--tls-cert", "both.pem"],
    ["--tls-cert", "both.pem", "--tls-key", "both.pem"],
    ["--tls-cert", "windows.pem"],
    ["--tls-cert", "cert.pem", "--tls-key", "windows.pem"],
    [
      "--tls-cert",
      "cert.pem",
      "--tls-key",
      "encrypted.pem",
      "--tls-key-passphrase-file",
      "passphrase",
    ],
    ["--tls-cert", "encrypted_both.pem", "--tls-key-passphrase-file", "passphrase_windows"],
    ["--tls-cert", "both.pem", "--tls-client-ca", "both.pem"],
  ]
) {
  test(`server: ${args.join(" ")} speaks TLS`, async () => {
    await using server = await startServer(pathsOf(args));
    const port = String(server.port);
    for (const mine of [["--cert", "both.pem"], ["--cert", "cert.pem", "--key", "windows.pem"]]) {
      const client = ["echo", "hello", "--port", port, "--tls", "--cacert", "windows.pem", ...mine];
      const { code, stdout, stderr } = await runClient(pathsOf(client));
      assert.deepEqual([code, stdout.toString()], [0, "hello"], stderr);
    }
  });
}

/** What is wrong with the files of a certificate and a key, whatever the options are called. */
const WRONG_PAIRS: readonly (readonly [cert: string, key: string | undefined, why: RegExp])[] = [
  ["none", "key.pem", /Option --CERT cannot read 'DIR\/none': there is no such file/],
  ["folder", "key.pem", /Option --CERT cannot read 'DIR\/folder': it is a folder/],
  ["empty.pem", "key.pem", /Option --CERT: 'DIR\/empty\.pem' is empty/],
  ["text.pem", "key.pem", /Option --CERT: there is no certificate \(PEM\) in 'DIR\/text\.pem'/],
  ["cert.der", "key.pem", /Option --CERT: 'DIR\/cert\.der' is binary \(DER\), .*openssl x509/],
  ["key.pem", "cert.pem", /Option --CERT: there is a private key in 'DIR\/key\.pem', .*swapped\?/],
  [
    "cert.pem",
    undefined,
    /--CERT and --KEY need each other: .* no private key in 'DIR\/cert\.pem'/,
  ],
  ["cert.pem", "none", /Option --KEY cannot read 'DIR\/none': there is no such file/],
  ["cert.pem", "folder", /Option --KEY cannot read 'DIR\/folder': it is a folder/],
  ["cert.pem", "empty.pem", /Option --KEY: 'DIR\/empty\.pem' is empty/],
  [
    "cert.pem",
    "cert.pem",
    /Option --CERT: there is a certificate in 'DIR\/cert\.pem', and no priv/,
  ],
  ["cert.pem", "key.der", /Option --KEY: 'DIR\/key\.der' is binary \(DER\), .*openssl pkey/],
  ["cert.pem", "encrypted.pem", /Option --KEY: .* in 'DIR\/encrypted\.pem' is encrypted: ADVICE/],
  ["encrypted_both.pem", undefined, /Option --CERT: .* in 'DIR\/encrypted_both\.pem' is encrypted/],
  [
    "cert.pem",
    "other.pem",
    /Option --KEY: the private key in 'DIR\/other\.pem' is not that of .* in 'DIR\/cert\.pem'/,
  ],
];

const WRONG_ISSUERS: readonly (readonly [file: string, why: RegExp])[] = [
  ["none", /Option --CA cannot read 'DIR\/none': there is no such file/],
  ["folder", /Option --CA cannot read 'DIR\/folder': it is a folder/],
  ["empty.pem", /Option --CA: 'DIR\/empty\.pem' is empty/],
  ["cert.der", /Option --CA: 'DIR\/cert\.der' is binary/],
  [
    "key.pem",
    /Option --CA: there is a private key in 'DIR\/key\.pem', and no .*: put the certificate there/,
  ],
  ["text.pem", /Option --CA: there is no certificate \(PEM\) in 'DIR\/text\.pem'/],
];

function spelled(why: RegExp, words: Readonly<Record<string, string>>): RegExp {
  let { source } = why;
  for (const [word, text] of Object.entries({ ...words, DIR: dir })) {
    source = source.replaceAll(word, text);
  }
  return new RegExp(source);
}

const SERVER = {
  CERT: "tls-cert",
  KEY: "tls-key",
  CA: "tls-client-ca",
  ADVICE: "say --tls-key-passphrase-file FILE",
};
const CLIENT = { CERT: "cert", KEY: "key", CA: "cacert", ADVICE: "decrypt it with 'openssl pkey" };

for (
  const [run, words, ...command] of [
    [runServer, SERVER, "echo"],
    [runServer, SERVER, "web", "."],
    [runServer, SERVER, "chat"],
    [runServer, SERVER, "relay", "--to", "localhost:1"],
    [runServer, CLIENT, "relay", "--to", "tls:localhost:1"],
    [runClient, CLIENT, "echo", "hello", "--tls"],
    [runClient, CLIENT, "connect", "localhost:1", "--tls"],
    [runClient, CLIENT, "get", "https://localhost:1/"],
  ] as const
) {
  const name = `${run === runServer ? "server" : "client"} ${command.join(" ")}`;
  test(`${name}: --${words.CERT} and --${words.KEY} say of a file that is not right what is wrong`, async () => {
    for (const [cert, key, why] of WRONG_PAIRS) {
      const args = ["--" + words.CERT, cert, ...key === undefined ? [] : ["--" + words.KEY, key]];
      assertFailed(await run(pathsOf([...command, ...args, "-q"])), 2, spelled(why, words));
    }
  });
  test(`${name}: --${words.CA} says of a file that is not right what is wrong`, async () => {
    const tls = run === runServer && words === SERVER ? ["--tls-cert", "both.pem"] : [];
    for (const [file, why] of WRONG_ISSUERS) {
      const args = [...command, ...tls, "--" + words.CA, file, "-q"];
      assertFailed(await run(pathsOf(args)), 2, spelled(why, words));
    }
  });
}

test("server: --tls-key-passphrase-file says what is wrong with its file", async () => {
  for (
    const [file, why] of [
      ["none", /Option --tls-key-passphrase-file cannot read 'DIR\/none': there is no such file/],
      [
        "empty.pem",
        /Option --tls-key-passphrase-file: there is no passphrase in 'DIR\/empty\.pem'/,
      ],
      [
        "passphrase_wrong",
        /--tls-key: the private key in 'DIR\/encrypted\.pem' cannot be decrypted/,
      ],
    ] as const
  ) {
    const args = ["--tls-cert", "cert.pem", "--tls-key", "encrypted.pem"];
    const exit = await runServer(pathsOf([...args, "--tls-key-passphrase-file", file, "-q"]));
    assertFailed(exit, 2, spelled(why, {}));
  }
});
