import { type ReactNode, useEffect } from 'react';
import { Link } from 'wouter';
import type { Tone } from './Badge.js';
import { Icon, type IconName } from './Icon.js';

interface PageProps {
  readonly title: string;
  readonly lead?: ReactNode;
  readonly actions?: ReactNode;
  readonly back?: { readonly to: string; readonly text: string };
  readonly children: ReactNode;
}

/** One screen: its title, what can be done there, and its content. */
export function Page({ title, lead, actions, back, children }: PageProps) {
  useEffect(() => {
    document.title = `${title} · Switchboard`;
  }, [title]);
  return (
    <>
      <div className="head">
        <div>
          {back && (
            <Link className="back" href={back.to}>
              <Icon name="back" />
              {back.text}
            </Link>
          )}
          <h1>{title}</h1>
          {lead && <div className="lead">{lead}</div>}
        </div>
        {actions && <div className="row">{actions}</div>}
      </div>
      {children}
    </>
  );
}

interface CardProps {
  readonly title?: string;
  readonly actions?: ReactNode;
  /** Its content reaches its edges, as a table does. */
  readonly isFlush?: boolean;
  readonly children: ReactNode;
}

export function Card({ title, actions, isFlush, children }: CardProps) {
  return (
    <section className="card" aria-label={title}>
      {title && (
        <header>
          <h2>{title}</h2>
          {actions && <div className="row">{actions}</div>}
        </header>
      )}
      <div className={isFlush ? 'body flush' : 'body'}>{children}</div>
    </section>
  );
}

const ICONS: Readonly<Record<Tone, IconName>> = { good: 'check', bad: 'warning', wait: 'clock', still: 'dot' };

interface NoteProps {
  readonly tone: Tone;
  readonly title?: string;
  readonly children?: ReactNode;
  readonly actions?: ReactNode;
}

/** Something to know, and what can be done about it. */
export function Note({ tone, title, children, actions }: NoteProps) {
  return (
    <div className={`note ${tone}`} role={tone === 'bad' ? 'alert' : 'status'}>
      <Icon name={ICONS[tone]} />
      <div className="grow">
        {title && <h2>{title}</h2>}
        {children}
        {actions && <div className="row">{actions}</div>}
      </div>
    </div>
  );
}

interface EmptyProps {
  readonly icon: IconName;
  readonly title: string;
  readonly children: ReactNode;
  readonly actions?: ReactNode;
}

/** Stands where a list would be: what belongs there, and the next step to it. */
export function Empty({ icon, title, children, actions }: EmptyProps) {
  return (
    <div className="empty">
      <Icon name={icon} />
      <h2>{title}</h2>
      <p>{children}</p>
      {actions && <div className="row">{actions}</div>}
    </div>
  );
}

export function Skeleton({ label, rows = 3 }: { readonly label: string; readonly rows?: number }) {
  return (
    <div role="status" aria-busy="true">
      <span className="unseen">{label}</span>
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they are all alike
        <div key={row} className="skeleton" />
      ))}
    </div>
  );
}
