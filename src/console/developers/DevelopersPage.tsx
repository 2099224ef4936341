import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { useAccess } from '../access/Access.js';
import { NeedsKeys } from '../access/SignIn.js';
import { Page } from '../design/Page.js';
import { ApiKeys } from './ApiKeys.js';
import { AuditLog } from './AuditLog.js';
import { Sessions } from './Sessions.js';

const PARTS = { keys: ApiKeys, sessions: Sessions, audit: AuditLog } as const;
type Part = keyof typeof PARTS;

/** Keys, sessions and the audit log: for whoever has a key with ADMIN. */
export default function DevelopersPage({ part }: { readonly part: string }) {
  const { t } = useTranslation();
  const { can } = useAccess();
  const here: Part = part in PARTS ? (part as Part) : 'keys';
  const Shown = PARTS[here];
  return (
    <Page title={t('developers.title')} lead={t('developers.lead')}>
      <nav className="tabs" aria-label={t('developers.title')}>
        {(Object.keys(PARTS) as Part[]).map((one) => (
          <Link key={one} href={`/developers/${one}`} aria-current={one === here ? 'page' : undefined}>
            {t(`developers.parts.${one}`)}
          </Link>
        ))}
      </nav>
      {can.admin ? <Shown /> : <NeedsKeys why={t('developers.needsKeys')} scope="ADMIN" />}
    </Page>
  );
}
