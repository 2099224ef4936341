import 'uplot/dist/uPlot.min.css';
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import UPlot from 'uplot';
import type { StatisticsQuery } from '../graphql/graphql.js';

const HEIGHT = 220;

interface ChartProps {
  readonly statistics: StatisticsQuery['deliveryStatistics'];
  /** When they were read, in milliseconds. */
  readonly readAt: number;
  readonly label: string;
}

/** Deliveries a minute by outcome. What it shows, the figures above it say in numbers. */
export default function Chart({ statistics, readAt, label }: ChartProps) {
  const { t, i18n } = useTranslation();
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const { intervals, intervalSeconds } = statistics;
    const perMinute = (start: string, count: number) => (count * 60) / elapsedSeconds(start, intervalSeconds, readAt);
    const data: UPlot.AlignedData = [
      intervals.map(({ start }) => Date.parse(start) / 1_000),
      intervals.map(({ start, delivered }) => perMinute(start, delivered)),
      intervals.map(({ start, retried }) => perMinute(start, retried)),
      intervals.map(({ start, failed }) => perMinute(start, failed)),
    ];
    const names = [t('statistics.delivered'), t('statistics.retried'), t('statistics.failed')];
    let plot = draw(element, data, names, i18n.language);
    const redraw = () => {
      plot.destroy();
      plot = draw(element, data, names, i18n.language);
    };
    const sizes = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT }));
    sizes.observe(element);
    const theme = window.matchMedia('(prefers-color-scheme: dark)');
    theme.addEventListener('change', redraw);
    return () => {
      sizes.disconnect();
      theme.removeEventListener('change', redraw);
      plot.destroy();
    };
  }, [statistics, readAt, t, i18n.language]);
  return <div ref={place} role="img" aria-label={label} />;
}

/** Seconds that count as elapsed at least, so that a handful of deliveries does not look like a rush. */
const SHORTEST = 15;

/** How much of an interval was over when it was read: of the last one, only a part. */
function elapsedSeconds(start: string, intervalSeconds: number, readAt: number): number {
  return Math.min(intervalSeconds, Math.max(SHORTEST, (readAt - Date.parse(start)) / 1_000));
}

function draw(element: HTMLElement, data: UPlot.AlignedData, names: readonly string[], language: string): UPlot {
  const style = getComputedStyle(document.documentElement);
  const color = (name: string) => style.getPropertyValue(name).trim();
  const number = new Intl.NumberFormat(language, { maximumFractionDigits: 2 });
  const axis = {
    stroke: color('--quiet'),
    grid: { stroke: color('--line'), width: 1 },
    ticks: { show: false },
    font: '12px system-ui',
  };
  const series = (['--good', '--wait', '--bad'] as const).map((name, index) => ({
    label: names[index],
    stroke: color(name),
    fill: `${color(name)}22`,
    width: 2,
    points: { show: false },
    value: (_plot: UPlot, value: number | null) => (value === null ? '–' : number.format(value)),
  }));
  return new UPlot(
    {
      width: element.clientWidth,
      height: HEIGHT,
      cursor: { y: false },
      scales: { y: { range: (_plot, _min, max) => [0, Math.max(1, max * 1.1)] } },
      axes: [
        { ...axis, values: (_plot, splits) => formatTimes(splits, language) },
        { ...axis, size: 44 },
      ],
      series: [{ value: (_plot, value) => (value === null ? '–' : (formatTimes([value, value], language)[0] ?? '')) }, ...series],
    },
    data,
    element,
  );
}

/** Hours and minutes within a day, days beyond. */
function formatTimes(seconds: readonly number[], language: string): string[] {
  const span = (seconds.at(-1) ?? 0) - (seconds[0] ?? 0);
  const format = new Intl.DateTimeFormat(
    language,
    span > 86_400 * 2 ? { month: 'short', day: 'numeric' } : { hour: '2-digit', minute: '2-digit' },
  );
  return seconds.map((value) => format.format(value * 1_000));
}
