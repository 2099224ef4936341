import { INBOX_ANSWERS, type InboxBehaviour } from './inboxBehaviour.js';
import type { InboxControl } from './inboxControl.js';

/** What a form of an inbox page asks for, ready to be done; undefined when it makes no sense. */
export function readInboxCommand(name: string, form: URLSearchParams, control: InboxControl): (() => void) | undefined {
  switch (form.get('action')) {
    case 'clear':
      return () => control.clear(name);
    case 'secret':
      return () => control.setSecret(name, form.get('secret')?.trim() || null);
    case 'behaviour': {
      const behaviour = readBehaviour(form);
      return behaviour && (() => control.setBehaviour(name, behaviour));
    }
    default:
      return undefined;
  }
}

function readBehaviour(form: URLSearchParams): InboxBehaviour | undefined {
  const answer = INBOX_ANSWERS.find((known) => known === form.get('answer'));
  const number = (field: string, most: number): number | undefined => {
    const text = form.get(field)?.trim();
    return text ? Math.min(Math.max(0, Math.trunc(Number(text))), most) : undefined;
  };
  const numbers = {
    retryAfterSeconds: number('retry_after', 86_400),
    delayMs: number('delay_ms', 600_000),
    times: number('times', 1_000_000),
  };
  const location = form.get('location')?.trim() || undefined;
  if (!answer || Object.values(numbers).some(Number.isNaN) || numbers.times === 0) return undefined;
  // A header can't hold line breaks and the like.
  if (location !== undefined && !/^[\x21-\x7e]{1,2000}$/.test(location)) return undefined;
  return { answer, location, ...numbers };
}
