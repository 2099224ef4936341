/** Prints figures and promises as they become known. */
export class Report {
  #broken = 0;

  title(text: string): void {
    console.log(`\n${text}`);
  }

  figure(what: string, value: string | number): void {
    console.log(`      ${what.padEnd(70)} ${format(value).padStart(12)}`);
  }

  /** Reports whether a promise was kept, with the figure that shows it. */
  promise(what: string, kept: boolean, value: string | number): void {
    if (!kept) this.#broken += 1;
    console.log(`${kept ? '  ok  ' : 'BROKEN'}${what.padEnd(70)} ${format(value).padStart(12)}`);
  }

  /** Prints the summary, and makes the process fail when a promise was broken. */
  end(): void {
    console.log(this.#broken === 0 ? '\nEvery promise was kept.' : `\nBroken promises: ${this.#broken}.`);
    if (this.#broken > 0) process.exitCode = 1;
  }
}

function format(value: string | number): string {
  return typeof value === 'number' ? value.toLocaleString('en') : value;
}
