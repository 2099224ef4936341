import { lazy, Suspense, useEffect, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useQuery } from 'urql';
import { useSearchParams } from 'wouter';
import { ChoiceField } from '../design/Field.js';
import { OperationButton } from '../design/OperationButton.js';
import { Card } from '../design/Page.js';
import { CallProblem } from '../design/Problems.js';
import { Ago, formatDuration } from '../design/Time.js';
import { graphql } from '../graphql/gql.js';
import type { StatisticsQuery } from '../graphql/graphql.js';

const Chart = lazy(() => import('./Chart.js'));

const STATISTICS = graphql(`
  query Statistics($from: DateTime!) {
    deliveryStatistics(from: $from) {
      intervalSeconds
      delivered
      failed
      retried
      successRate
      p50Ms
      p95Ms
      intervals { start delivered failed retried }
    }
    organization { id oldestWaiting }
  }
`);

/** Minutes that are shown, by how the address names them. */
const RANGES = { '1h': 60, '24h': 1_440, '7d': 10_080, '30d': 43_200 } as const;
type Range = keyof typeof RANGES;

/** Milliseconds after which the numbers are read anew. */
const READ_EVERY = 30_000;

/** Deliveries by outcome, the rate of success, and how long it took, for a range that is chosen. */
export function Statistics() {
  const { t } = useTranslation();
  const [parameters, setParameters] = useSearchParams();
  const range = (Object.keys(RANGES) as Range[]).find((one) => one === parameters.get('range')) ?? '24h';
  const now = useTick();
  const variables = useMemo(() => ({ from: new Date(now - RANGES[range] * 60_000).toISOString() }), [now, range]);
  const [{ data, error }, read] = useQuery({ query: STATISTICS, variables, requestPolicy: 'network-only' });
  // The numbers before stay until the new ones are there, so that nothing jumps.
  const [shown, setShown] = useState<Shown | null>(null);
  useEffect(() => {
    if (!data) return;
    const { deliveryStatistics, organization } = data;
    setShown({ statistics: deliveryStatistics, oldestWaiting: organization?.oldestWaiting ?? null, readAt: Date.now() });
  }, [data]);
  return (
    <Card
      title={t('statistics.title')}
      actions={
        <>
          <OperationButton document={STATISTICS} variables={variables} />
          <ChoiceField
            label={t('statistics.range')}
            value={range}
            choices={(Object.keys(RANGES) as Range[]).map((value) => ({ value, text: t(`deliveries.spans.${value}`) }))}
            onChange={(value) => setParameters({ range: value }, { replace: true })}
          />
        </>
      }
    >
      {error && <CallProblem error={error} onRetry={() => read({ requestPolicy: 'network-only' })} />}
      <Figures statistics={shown?.statistics ?? null} oldestWaiting={shown?.oldestWaiting ?? null} />
      <div className="chart">
        <Suspense>
          {shown && <Chart statistics={shown.statistics} readAt={shown.readAt} label={t('statistics.chart')} />}
        </Suspense>
      </div>
    </Card>
  );
}

type Numbers = StatisticsQuery['deliveryStatistics'];

interface FiguresProps {
  readonly statistics: Numbers | null;
  /** When the oldest delivery that waits was published; null: none waits. */
  readonly oldestWaiting: string | null;
}

interface Shown extends FiguresProps {
  readonly statistics: Numbers;
  /** In milliseconds. */
  readonly readAt: number;
}

function Figures({ statistics, oldestWaiting }: FiguresProps) {
  const { t, i18n } = useTranslation();
  const { language } = i18n;
  const whole = new Intl.NumberFormat(language);
  const percent = new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 1 });
  const duration = (value: number | null | undefined) => (value == null ? '–' : formatDuration(Math.round(value), language));
  const figures: readonly (readonly [string, string])[] = [
    [t('statistics.delivered'), statistics ? whole.format(statistics.delivered) : '–'],
    [t('statistics.failed'), statistics ? whole.format(statistics.failed) : '–'],
    [t('statistics.success'), statistics?.successRate == null ? '–' : percent.format(statistics.successRate)],
    [t('statistics.p50'), duration(statistics?.p50Ms)],
    [t('statistics.p95'), duration(statistics?.p95Ms)],
  ];
  return (
    <dl className="figures">
      {figures.map(([name, value]) => (
        <div key={name}>
          <dt className="small quiet">{name}</dt>
          <dd className="value">{value}</dd>
        </div>
      ))}
      <div>
        <dt className="small quiet">{t('statistics.oldest')}</dt>
        <dd className="value">{oldestWaiting ? <Ago at={oldestWaiting} /> : '–'}</dd>
      </div>
    </dl>
  );
}

/** The time, read anew every now and then while the page is in sight. */
function useTick(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => document.visibilityState === 'visible' && setNow(Date.now()), READ_EVERY);
    return () => clearInterval(timer);
  }, []);
  return now;
}
