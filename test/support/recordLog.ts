import type { Logger } from '../../src/domain/Logger.js';

export type LogLine = { readonly level: keyof Logger; readonly message: string } & Record<string, unknown>;

/** Returns a logger, and the lines that it has received. */
export function recordLog(): { log: Logger; lines: LogLine[] } {
  const lines: LogLine[] = [];
  const at = (level: keyof Logger) => (fields: object, message: string) => void lines.push({ level, ...fields, message });
  return { log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }, lines };
}
