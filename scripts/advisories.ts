// What `npm audit --json` says.

/** Either it was not answered, or these packages are vulnerable: a line each. */
export interface Verdict {
  readonly skipped?: string;
  readonly vulnerable: readonly string[];
}

/** Reads the output. What is neither a report nor an error of npm is a question not answered, too. */
export function verdictOf(output: string): Verdict {
  const report = parsed(output);
  const { vulnerabilities } = report;
  if (typeof vulnerabilities !== "object" || vulnerabilities === null) {
    const why = typeof report.message === "string" ? report.message : output.slice(0, 200);
    return { skipped: why.split("\n")[0] || "it says nothing", vulnerable: [] };
  }
  const vulnerable = Object.values(vulnerabilities as Record<string, Vulnerability>)
    .map(({ name, severity, range, via = [] }) => {
      const titles = via.flatMap((one) =>
        typeof one === "string" ? [] : [`${one.title} ${one.url}`]
      );
      return [`${name} ${range} (${severity})`, ...titles].join(": ");
    });
  return { vulnerable };
}

interface Vulnerability {
  readonly name: string;
  readonly severity: string;
  readonly range: string;
  readonly via?: readonly (string | { readonly title: string; readonly url: string })[];
}

function parsed(output: string): Record<string, unknown> {
  try {
    return JSON.parse(output) ?? {};
  } catch {
    return {};
  }
}
