/** Builds the console to dist/console, unless that is newer than its sources. */
export function buildConsole(): Promise<void>;
