import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';

const UNITS = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
] as const;

/** A time as people say it (“3 minutes ago”), with the exact one for whoever wants it. */
export function Ago({ at }: { readonly at: string }) {
  const { i18n } = useTranslation();
  const now = useNow();
  const seconds = Math.round((Date.parse(at) - now) / 1_000);
  const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? ['second', 1];
  const text = new Intl.RelativeTimeFormat(i18n.language, { numeric: 'auto' }).format(Math.trunc(seconds / size), unit);
  return (
    <time dateTime={at} title={exactTime(at, i18n.language)}>
      {text}
    </time>
  );
}

export function Exact({ at }: { readonly at: string }) {
  const { i18n } = useTranslation();
  return <time dateTime={at}>{exactTime(at, i18n.language)}</time>;
}

function exactTime(at: string, language: string): string {
  return new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'medium' }).format(new Date(at));
}

export function formatDuration(milliseconds: number, language: string): string {
  const isShort = milliseconds < 1_000;
  const value = isShort ? milliseconds : milliseconds / 1_000;
  const unit = isShort ? 'millisecond' : 'second';
  return new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits: 1 }).format(value);
}

const listeners = new Set<() => void>();
let ticking: ReturnType<typeof setInterval> | undefined;

/** The time, read anew every ten seconds by one timer for all who show it. */
function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const listen = () => setNow(Date.now());
    listeners.add(listen);
    ticking ??= setInterval(() => {
      for (const tell of listeners) tell();
    }, 10_000);
    return () => {
      listeners.delete(listen);
      if (listeners.size > 0) return;
      clearInterval(ticking);
      ticking = undefined;
    };
  }, []);
  return now;
}
