import { useTranslation } from 'react-i18next';
import { Badge, type Tone } from '../design/Badge.js';
import { Code } from '../design/Code.js';
import { Icon, type IconName } from '../design/Icon.js';
import { Ago, Exact, formatDuration } from '../design/Time.js';
import type { AttemptTrigger, DeliveryStatus } from '../graphql/graphql.js';

interface Attempt {
  readonly number: number;
  readonly trigger: AttemptTrigger;
  readonly statusCode?: number | null;
  readonly durationMs: number;
  readonly startedAt: string;
  readonly error?: { readonly code: string } | null;
}

interface Answer {
  readonly responseBody?: string | null;
  readonly error?: { readonly message: string } | null;
}

interface AttemptTimelineProps {
  readonly delivery: {
    readonly status: DeliveryStatus;
    readonly createdAt: string;
    readonly nextAttemptAt?: string | null;
    readonly attempts: readonly Attempt[];
  };
  /** What the receiver answered, by the attempt's number; empty for whoever may not read it. */
  readonly answers: ReadonlyMap<number, Answer>;
}

/** A delivery's way from the publishing of its event over every attempt to the next one. */
export function AttemptTimeline({ delivery, answers }: AttemptTimelineProps) {
  const { t } = useTranslation();
  const { attempts, createdAt, nextAttemptAt, status } = delivery;
  return (
    <ol className="timeline">
      <li>
        <Dot tone="still" icon="events" />
        <strong>{t('deliveries.published')}</strong>
        <span className="small quiet">
          <Exact at={createdAt} />
        </span>
      </li>
      {attempts.map((attempt) => (
        <AttemptLine key={attempt.number} attempt={attempt} answer={answers.get(attempt.number)} />
      ))}
      {nextAttemptAt && (
        <li>
          <Dot tone="wait" icon="clock" />
          <strong>{t('deliveries.next')}</strong>
          <span className="small quiet">
            <Ago at={nextAttemptAt} />
          </span>
        </li>
      )}
      {status === 'HELD' && (
        <li>
          <Dot tone="wait" icon="pause" />
          <strong>{t('deliveries.heldUntil')}</strong>
        </li>
      )}
    </ol>
  );
}

function AttemptLine({ attempt, answer }: { readonly attempt: Attempt; readonly answer: Answer | undefined }) {
  const { t, i18n } = useTranslation();
  const { number, trigger, statusCode, durationMs, startedAt, error } = attempt;
  const tone = error ? 'bad' : 'good';
  return (
    <li>
      <Dot tone={tone} icon={error ? 'cross' : 'check'} />
      <span className="row">
        <strong>{t('deliveries.attempt', { number })}</strong>
        <Badge tone={tone} text={statusCode ? `HTTP ${statusCode}` : t('deliveries.noAnswer')} />
        {trigger !== 'AUTOMATIC' && <Badge tone="still" text={t(`deliveries.triggers.${trigger}`)} />}
      </span>
      <span className="small quiet">
        <Exact at={startedAt} /> · {formatDuration(durationMs, i18n.language)}
      </span>
      {error && <span>{answer?.error?.message ?? <code>{error.code}</code>}</span>}
      {answer?.responseBody && (
        <details>
          <summary>{t('deliveries.response')}</summary>
          <Code text={answer.responseBody} label={t('deliveries.response')} />
        </details>
      )}
    </li>
  );
}

function Dot({ tone, icon }: { readonly tone: Tone; readonly icon: IconName }) {
  return (
    <span className={`dot ${tone}`}>
      <Icon name={icon} />
    </span>
  );
}
