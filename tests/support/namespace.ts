// Networks of a test's own, on Linux: programs run there with a name server that does as the test says.

import { Program, type ProgramOptions, PYTHON } from "./peers.ts";
import { type Ended, InTurn, inTurnCommand } from "./scripts.ts";
import { test } from "./runner.deno.ts";

/** What a {@linkcode Namespace} is like. */
export interface NamespaceOptions {
  /** What the name server answers: every name is 127.0.0.1 and ::1. It is silent to other questions. */
  readonly answers?: readonly ("A" | "AAAA")[];
  /** Whether a name server that never answers stands before it in resolv.conf. */
  readonly deafFirst?: boolean;
  /** The ports that the kernel chooses from. */
  readonly ports?: readonly [number, number];
}

/** Prints each name that is asked for. Named.test stands in /etc/hosts, too. The loopback interface has fe80::1, too. */
const PROGRAM = `
import fcntl, json, os, socket, struct, subprocess, sys, tempfile, time
options = json.loads(sys.argv[1])

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    fcntl.ioctl(s, 0x8914, struct.pack("16sh14x", b"lo", 0x41))  # SIOCSIFFLAGS: IFF_UP, IFF_RUNNING
with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
    address = socket.inet_pton(socket.AF_INET6, "fe80::1")
    number = socket.if_nametoindex("lo")
    fcntl.ioctl(s, 0x8916, struct.pack("16sIi", address, 64, number))  # SIOCSIFADDR
    # The address is tentative until a kernel thread has looked at it: nobody can bind to it before.
    for _ in range(6000):
        try:
            s.bind(("fe80::1", 0, 0, number))
            break
        except OSError:
            time.sleep(0.01)
if "ports" in options:
    with open("/proc/sys/net/ipv4/ip_local_port_range", "w") as f:
        f.write("%d %d" % tuple(options["ports"]))

def replace(path, text):
    with tempfile.NamedTemporaryFile("w") as f:
        f.write(text)
        f.flush()
        os.chmod(f.name, 0o644)
        subprocess.run(["mount", "--bind", f.name, path], check=True)

servers = ["127.0.0.2"] * options.get("deafFirst", False) + ["127.0.0.1"]
lines = ["nameserver " + server for server in servers]
if len(servers) == 1: lines.append("options timeout:30")
replace("/etc/resolv.conf", "\\n".join(lines) + "\\n")
replace("/etc/nsswitch.conf", "hosts: files dns\\n")
replace("/etc/hosts", "127.0.0.1 localhost\\n::1 localhost\\n127.0.0.1 other Named.test # good.test\\n")

deaf = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
deaf.bind(("127.0.0.2", 53))
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 53))
print("ready", flush=True)
TYPES = {1: ("A", socket.inet_aton("127.0.0.1")), 28: ("AAAA", socket.inet_pton(socket.AF_INET6, "::1"))}
while True:
    question, asker = s.recvfrom(4096)
    at, labels = 12, []
    while question[at]:
        labels.append(question[at + 1:at + 1 + question[at]].decode())
        at += question[at] + 1
    at += 5
    (number,) = struct.unpack(">H", question[at - 4:at - 2])
    name, data = TYPES.get(number, ("?", b""))
    print(name, ".".join(labels), flush=True)
    if name not in options.get("answers", []): continue
    head = question[:2] + struct.pack(">HHHHH", 0x8180, 1, 1, 0, 0)
    answer = struct.pack(">HHHIH", 0xc00c, number, 1, 60, len(data)) + data
    s.sendto(head + question[12:at] + answer, asker)
`;

/** A network namespace with nothing but its loopback interface and a name server there. */
export class Namespace implements AsyncDisposable {
  /** The name server. */
  readonly #holder: Program;

  private constructor(holder: Program) {
    this.#holder = holder;
  }

  /** Makes one; it is gone with what runs there. */
  static async open(options: NamespaceOptions = {}): Promise<Namespace> {
    const command = ["unshare", "-rnm", ...PYTHON, "-c", PROGRAM, JSON.stringify(options)];
    const holder = new Program(command);
    await holder.stdout.until(/^ready$/m);
    return new Namespace(holder);
  }

  /** Starts a program there. */
  start(command: readonly string[], options?: ProgramOptions): Program {
    const enter = ["nsenter", "-t", String(this.#holder.pid), "-U", "-n", "-m"];
    return new Program([...enter, "--preserve-credentials", "--", ...command], options);
  }

  /** Starts command lines of our scripts there, in one process and in turn, as in_turn.ts does. */
  startInTurn(lines: readonly (readonly string[])[]): InTurn {
    return new InTurn(this.start(inTurnCommand(lines)));
  }

  /** Runs command lines so to their end, and returns how each has ended. */
  async inTurn(lines: readonly (readonly string[])[]): Promise<Ended[]> {
    await using scripts = this.startInTurn(lines);
    return await scripts.exits();
  }

  /** Waits until the name server was asked for a name. */
  async asked(name: string): Promise<void> {
    await this.#holder.stdout.until(new RegExp(`^A+ ${name.replaceAll(".", "\\.")}$`, "m"));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#holder[Symbol.asyncDispose]();
  }
}

/** Registers a test that needs a {@linkcode Namespace}. */
export function testInNamespace(name: string, fn: () => Promise<void>): void {
  test(name, fn, ["network-namespaces", "python3"]);
}
