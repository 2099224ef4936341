const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Markup that is safe to put into a page as it is. */
export class Html {
  constructor(readonly markup: string) {}
}

/** Writes markup; whatever is put in is escaped, unless it is markup itself. Null and undefined leave nothing. */
export function html(strings: TemplateStringsArray, ...values: readonly unknown[]): Html {
  return new Html(strings.reduce((text, part, index) => text + render(values[index - 1]) + part));
}

function render(value: unknown): string {
  if (value instanceof Html) return value.markup;
  return value === null || value === undefined
    ? ''
    : String(value).replace(/[&<>"']/g, (character) => ESCAPES[character] as string);
}
