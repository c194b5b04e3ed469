// The pictures of docs/tutorial/: each step is run, recorded and drawn.
//
//   deno task pictures [WORD...]
//
// Only what changes with every run is taken out: the ports that the kernel chose, and the times.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { must, Program, ROOT } from "./program.ts";

const FOLDER = join(ROOT, "docs/tutorial/pictures");
const work = mkdtempSync(join(tmpdir(), "plainsocket-"));

/**
 * How a step is run. In a command of a client, PORT is where it connects to, and FILE where it
 * records, if it does.
 */
interface Step {
  /** What listens and is recorded: `server.ts` with these arguments... */
  readonly recorded?: readonly string[];
  /** ...or a relay in front of this server, unless the client records. */
  readonly server?: readonly string[];
  /** The port that the picture shows for the server. */
  readonly port?: number;
  /** They run one after the other... */
  readonly clients: readonly (readonly string[])[];
  /** ...or all at the same time. */
  readonly together?: boolean;
}

const python = (name: string, ...args: string[]) => [
  "python3",
  `docs/tutorial/python/${name}.py`,
  ...args,
];
const deno = (script: string, ...args: string[]) => [
  process.execPath,
  "run",
  "-A",
  script,
  ...args,
];
const local = ["127.0.0.1", "PORT"];
const free = ["127.0.0.1", "0"];

/** A client that sends what the shell command prints, when it prints it. */
const typing = (command: string) => {
  const client = `${process.execPath} run -A client.ts connect 127.0.0.1:PORT`;
  return ["sh", "-c", `(${command}) | ${client}`];
};

const STEPS: Readonly<Record<string, Step>> = {
  "01_socket": { recorded: [], clients: [python("first_socket", ...local)] },
  "02_client": { recorded: [], clients: [python("hello_client", ...local)] },
  "03_server": {
    server: deno("examples/tutorial/hello_server.ts", ...free),
    clients: [python("hello_client", ...local), python("hello_client", ...local)],
  },
  "04_pieces": {
    recorded: ["--recv-size", "16"],
    clients: [deno("examples/echo_client.ts", ...local)],
  },
  "05_half_close": {
    server: deno("examples/tutorial/count_server.ts", ...free),
    clients: [python("count_client", ...local)],
  },
  "06_addresses": {
    recorded: ["--host", ""],
    clients: [
      python("hello_client", ...local),
      deno("examples/tutorial/hello_client.ts", "::1", "PORT"),
    ],
  },
  "07_three_ways": {
    server: deno("examples/tutorial/three_ways.ts", "loop", ...free),
    clients: [
      typing("sleep 1.9; echo at last; sleep 0.5"),
      ["sh", "-c", `sleep 0.8; ${python("hello_client", ...local).join(" ")}`],
    ],
    together: true,
  },
  "08_frames": {
    server: deno("examples/tutorial/shout_server.ts", ...free),
    clients: [python("shout_client", ...local)],
  },
  "09_web": {
    server: deno("examples/web_server.ts", work, ...free),
    port: 8000,
    clients: [python("web_client", "http://127.0.0.1:PORT/")],
  },
  "10_udp": {
    server: deno("server.ts", "echo", "--udp", "--port", "0"),
    clients: [
      deno("client.ts", "echo", "hello, datagrams", "--udp", "--port", "PORT", "--record", "FILE"),
    ],
  },
  "11_tls": {
    recorded: ["--tls-cert", join(work, "cert.pem"), "--tls-key", join(work, "key.pem")],
    clients: [python("tls_client", "localhost", "PORT", work)],
  },
  "12_lasting": {
    server: deno("examples/tutorial/lasting_server.ts", ...free, "1.9"),
    clients: [typing("echo hello; sleep 4")],
  },
  "13_websocket": {
    server: deno("examples/tutorial/websocket_server.ts", ...free),
    clients: [python("websocket_client", ...local)],
  },
};

/** The port in the line that a server prints when it listens. */
async function portOf(program: Program): Promise<string> {
  const line = await program.firstLine();
  const port = /:(\d+)\/?$/.exec(line)?.[1];
  if (port === undefined) throw new Error(`No port in: ${line}`);
  return port;
}

/** Runs a step; returns the lines of its recording, and the port that was recorded. */
async function recordingOf(step: Step): Promise<{ lines: string[]; port: string }> {
  const file = join(work, "recording.jsonl");
  rmSync(file, { force: true });
  const started: Program[] = [];
  const start = async (command: readonly string[]) => {
    const program = new Program(command, { deadline: 60_000 });
    started.push(program);
    return await portOf(program);
  };
  const listen = async ({ recorded, server, clients }: Step) => {
    const first = server === undefined ? undefined : await start(server);
    if (clients.flat().includes("FILE")) return first!;
    const args = recorded ?? ["relay", "--to", `127.0.0.1:${first}`];
    return await start(deno("server.ts", ...args, "--port", "0", "--record", file));
  };
  try {
    const port = await listen(step);
    const clients = step.clients.map((client) =>
      client.map((word) => word === "FILE" ? file : word.replace("PORT", port))
    );
    if (step.together) await Promise.all(clients.map((client) => must(client)));
    else for (const client of clients) await must(client);
    for (const program of started.reverse()) await program.stop();
    return { lines: readFileSync(file, "utf8").trimEnd().split("\n"), port };
  } finally {
    for (const program of started) program.kill("SIGKILL");
  }
}

/** The lines without the relay's own connections: those of the clients say it all. */
function withoutRelay(lines: readonly string[]): string[] {
  const events = lines.map((line) => JSON.parse(line));
  const own = new Set(events.filter(({ type }) => type === "connect").map(({ socket }) => socket));
  return lines.filter((_, i) =>
    !own.has(events[i].socket) && events[i].type !== "link" && events[i].type !== "resolve"
  );
}

/** The lines with ports that are the same in each run. */
function withSamePorts(lines: readonly string[], port: string, shown: number): string[] {
  const ports = new Map([[port, shown]]);
  const same = (found: string) => {
    if (!ports.has(found)) ports.set(found, 50_000 + ports.size);
    return ports.get(found)!;
  };
  return lines.map((line) => line.replace(/"port":(\d+)/g, (_, found) => `"port":${same(found)}`));
}

/** The picture without the times of the steps; a pause is given in whole seconds. */
function withoutTimes(svg: string): string {
  return svg.replace(/<text [^>]*class="time" text-anchor="start">[^<]*<\/text>/g, "")
    .replace(/⋯ ([\d.]+) s ⋯/g, (_, seconds) => `⋯ ${Math.round(Number(seconds))} s ⋯`);
}

async function draw(name: string, step: Step): Promise<void> {
  const { lines, port } = await recordingOf(step);
  const kept = lines.some((line) => line.includes('"type":"link"')) ? withoutRelay(lines) : lines;
  const file = join(work, "drawn.jsonl");
  writeFileSync(file, withSamePorts(kept, port, step.port ?? 10_000).join("\n") + "\n");
  const svg = await must(deno("client.ts", "recording", file, "--to", "svg"));
  writeFileSync(join(FOLDER, `${name}.svg`), withoutTimes(svg));
  console.log(`docs/tutorial/pictures/${name}.svg`);
}

const words = process.argv.slice(2);
try {
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(join(work, "index.html"), "<h1>hello</h1>\n");
  await must(deno("examples/tutorial/certificate.ts", work));
  for (const [name, step] of Object.entries(STEPS)) {
    if (words.length === 0 || words.some((word) => name.includes(word))) await draw(name, step);
  }
  await must([process.execPath, "fmt", "-q", FOLDER]);
} finally {
  rmSync(work, { recursive: true });
}
