import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { titleOf } from '../connections/connectionRow.js';
import { Button } from '../design/Button.js';
import { Ago } from '../design/Time.js';
import { DeliveryBadge } from './DeliveryTable.js';
import type { DeliveryRow } from './deliveryRow.js';

interface DeliveryFeedProps {
  readonly rows: readonly DeliveryRow[];
  readonly hasMore: boolean;
  readonly waiting: number;
  readonly readMore: () => void;
  readonly setAtTop: (isAtTop: boolean) => void;
}

/** Rows before the end at which older ones are read. */
const READS_AHEAD = 30;

/** A long list of which only the rows in sight exist. Older ones are read as the reader comes near. */
export function DeliveryFeed({ rows, hasMore, waiting, readMore, setAtTop }: DeliveryFeedProps) {
  const { t } = useTranslation();
  const place = useRef<HTMLDivElement>(null);
  const height = useIsNarrow() ? 68 : 52;
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => place.current,
    estimateSize: () => height,
    getItemKey: (index) => rows[index]?.id ?? index,
    overscan: 12,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: another height means other places
  useEffect(() => virtual.measure(), [height]);
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (hasMore && last >= rows.length - READS_AHEAD) readMore();
  }, [hasMore, last, rows.length, readMore]);
  function goToTop(): void {
    place.current?.scrollTo({ top: 0 });
    setAtTop(true);
  }
  return (
    <>
      <div role="status" className="row">
        {waiting > 0 && (
          <Button kind="plain" onPress={goToTop}>
            {t('deliveries.new', { count: waiting })}
          </Button>
        )}
      </div>
      <div ref={place} className="feed" onScroll={({ currentTarget }) => setAtTop(currentTarget.scrollTop < height)}>
        <ul aria-label={t('deliveries.title')} style={{ height: virtual.getTotalSize(), position: 'relative' }}>
          {items.map(({ index, start, key }) => (
            <FeedLine key={key} row={rows[index] as DeliveryRow} position={index + 1} start={start} />
          ))}
        </ul>
      </div>
    </>
  );
}

interface FeedLineProps {
  readonly row: DeliveryRow;
  /** Among all rows, from 1: most of them do not exist on the page. */
  readonly position: number;
  readonly start: number;
}

function FeedLine({ row, position, start }: FeedLineProps) {
  const { t } = useTranslation();
  return (
    <li aria-posinset={position} aria-setsize={-1}>
      <Link className="line" href={`/deliveries/${row.id}`} style={{ transform: `translateY(${start}px)` }}>
        <span>
          <DeliveryBadge status={row.status} />
        </span>
        <span className="name">{row.event.eventType}</span>
        <span className="quiet">{row.connection ? titleOf(row.connection) : t('deliveries.connectionGone')}</span>
        <span className="quiet number lesser">{t('deliveries.attemptCount', { count: row.attemptCount })}</span>
        <span className="quiet small">
          <Ago at={row.createdAt} />
        </span>
      </Link>
    </li>
  );
}

const narrow = window.matchMedia('(max-width: 52rem)');

function useIsNarrow(): boolean {
  return useSyncExternalStore(
    (tell) => {
      narrow.addEventListener('change', tell);
      return () => narrow.removeEventListener('change', tell);
    },
    () => narrow.matches,
  );
}
