import type { Logger } from '../../src/domain/Logger.js';

export type LogLine = { readonly level: keyof Logger; readonly message: string } & Record<string, unknown>;

/** A log, and what was said to it. */
export function recordLog(): { log: Logger; lines: LogLine[] } {
  const lines: LogLine[] = [];
  const at = (level: keyof Logger) => (fields: object, message: string) => void lines.push({ level, ...fields, message });
  return { log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }, lines };
}
