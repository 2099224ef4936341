const PATHS = {
  overview: 'M4 13h6V4H4zM14 20h6v-9h-6zM4 20h6v-3H4zM14 7h6V4h-6z',
  connections: 'M9 17H7A5 5 0 0 1 7 7h2M15 7h2a5 5 0 0 1 0 10h-2M8 12h8',
  subscriptions: 'M4 6h16M4 12h10M4 18h7M17 15v6M14 18h6',
  deliveries: 'M22 2 11 13M22 2l-7 20-4-9-9-4z',
  events: 'M13 2 4 14h7l-1 8 9-12h-7z',
  developers: 'm8 8-4 4 4 4M16 8l4 4-4 4M14 4l-4 16',
  organizations: 'M4 21V5l8-3v19M12 21h8V9l-8-3M7 8h2M7 12h2M7 16h2M15 12h2M15 16h2M2 21h20',
  more: 'M5 12h.01M12 12h.01M19 12h.01',
  back: 'M19 12H5M12 19l-7-7 7-7',
  check: 'M20 6 9 17l-5-5',
  cross: 'M18 6 6 18M6 6l12 12',
  clock: 'M12 7v5l3 2M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z',
  warning: 'M12 9v4M12 17h.01M10.3 3.9 2.4 17.5A2 2 0 0 0 4.1 20.5h15.8a2 2 0 0 0 1.7-3L13.7 3.9a2 2 0 0 0-3.4 0z',
  pause: 'M9 5v14M15 5v14',
  retry: 'M3 12a9 9 0 0 1 15.5-6.3L21 8M21 3v5h-5M21 12a9 9 0 0 1-15.5 6.3L3 16M3 21v-5h5',
  plus: 'M12 5v14M5 12h14',
  down: 'm6 9 6 6 6-6',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  trash: 'M4 7h16M10 11v6M14 11v6M6 7l1 13h10l1-13M9 7V4h6v3',
  link: 'M15 3h6v6M10 14 21 3M18 13v7H4V6h7',
  leave: 'M9 21H4V3h5M16 17l5-5-5-5M21 12H9',
  key: 'M21 2l-9.6 9.6M15.5 7.5l3 3L22 7l-3-3M11.4 11.6a5 5 0 1 1-7 7 5 5 0 0 1 7-7z',
  webhook: 'M12 3a4 4 0 0 1 3.5 6l3 5.2M8.5 9A4 4 0 0 1 12 3M8.5 9l-3 5.2a4 4 0 1 0 4 4.8h5.2a4 4 0 1 0 3.8-4.8',
  mail: 'M3 5h18v14H3zM3 6l9 7 9-7',
  play: 'M6 4l14 8-14 8z',
  dot: 'M12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6z',
} as const;

export type IconName = keyof typeof PATHS;

/** Draws an icon beside a text that says the same. */
export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg className="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

export function Brand() {
  return (
    <svg viewBox="0 0 24 24" aria-hidden="true" fill="none">
      <rect x="1" y="1" width="22" height="22" rx="6" fill="var(--accent)" />
      <path d="M6 8h5c3 0 3 8 6 8h1M6 16h4M14.500 8H18" stroke="var(--on-accent)" strokeWidth="2" strokeLinecap="round" />
    </svg>
  );
}
