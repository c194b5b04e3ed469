// What a script reports: a line for each check, and a last line that counts them.

/** How many passed, and how many failed. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
}

/** Runs checks one after the other, prints how each went, and counts. */
export class Report {
  #passed = 0;
  #failed = 0;

  /** A check fails by throwing. Resolves to whether it passed. */
  async check(name: string, fn: () => unknown): Promise<boolean> {
    try {
      await fn();
      this.#passed++;
      console.log(`ok - ${name}`);
      return true;
    } catch (error) {
      this.#failed++;
      const text = error instanceof Error ? error.message : String(error);
      console.log(`not ok - ${name}\n${text.trimEnd().replaceAll(/^/gm, "    ")}`);
      return false;
    }
  }

  /** Adds what a test runner has counted. */
  add({ passed, failed }: Counts): void {
    this.#passed += passed;
    this.#failed += failed;
  }

  /** Prints the last line and ends the script: with 0 only if all passed, and there was something. */
  end(): never {
    console.log(`${this.#passed} passed, ${this.#failed} failed`);
    Deno.exit(this.#failed === 0 && this.#passed > 0 ? 0 : 1);
  }
}
