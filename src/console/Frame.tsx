import type { ReactNode } from 'react';
import { Button, Menu, MenuItem, MenuTrigger, Popover } from 'react-aria-components';
import { useTranslation } from 'react-i18next';
import { useQuery } from 'urql';
import { Link, useLocation } from 'wouter';
import { useAccess } from './access/Access.js';
import { ChoiceField } from './design/Field.js';
import { Brand, Icon, type IconName } from './design/Icon.js';
import { graphql } from './graphql/gql.js';
import { chooseLanguage, LANGUAGES, type Language } from './texts/texts.js';

const ORGANIZATION = graphql(`
  query OrganizationName { organization { id name } }
`);

type Place = 'overview' | 'connections' | 'subscriptions' | 'deliveries' | 'events' | 'developers' | 'organizations';

const PATHS: Readonly<Record<Place, string>> = {
  overview: '/',
  connections: '/connections',
  subscriptions: '/subscriptions',
  deliveries: '/deliveries',
  events: '/events',
  developers: '/developers/keys',
  organizations: '/organizations',
};

/** The navigation beside every screen, or below it on a phone. */
export function Frame({ children }: { readonly children: ReactNode }) {
  const { t } = useTranslation();
  const { session, isPlatform, ownsOrganizations, signOut } = useAccess();
  const [{ data }] = useQuery({ query: ORGANIZATION, pause: isPlatform });
  const places: Place[] = [
    ...(ownsOrganizations ? (['organizations'] as const) : []),
    ...(isPlatform ? [] : (['overview', 'connections', 'deliveries', 'subscriptions'] as const)),
    // A session reads no events, and nothing of a developer's.
    ...(isPlatform || (session && !session.permissions.includes('MANAGE')) ? [] : (['events', 'developers'] as const)),
  ];
  return (
    <div className="frame">
      <nav className="side" aria-label={t('menu.label')}>
        <Link className="brand" href="/">
          <Brand />
          Switchboard
        </Link>
        <div className="menu">
          {places.map((place) => (
            <PlaceLink key={place} place={place} />
          ))}
        </div>
        <div className="menu foot">
          {data?.organization && <p className="organization quiet small">{data.organization.name}</p>}
          <LanguageChoice />
          <a href="/graphiql" target="_blank" rel="noreferrer">
            <Icon name="link" />
            GraphiQL
          </a>
          <button type="button" onClick={() => void signOut()}>
            <Icon name="leave" />
            {t('menu.signOut')}
          </button>
        </div>
      </nav>
      <main className="screen">{children}</main>
      <nav className="bar" aria-label={t('menu.label')}>
        {places.slice(0, 4).map((place) => (
          <PlaceLink key={place} place={place} />
        ))}
        <More places={places.slice(4)} />
      </nav>
    </div>
  );
}

function PlaceLink({ place }: { readonly place: Place }) {
  const { t } = useTranslation();
  const [location] = useLocation();
  const [, first = ''] = location.split('/');
  const isHere = `/${first}` === PATHS[place].replace(/(?<=\w)\/.*/, '');
  return (
    <Link href={PATHS[place]} aria-current={isHere ? 'page' : undefined}>
      <Icon name={place as IconName} />
      {t(`menu.${place}`)}
    </Link>
  );
}

function LanguageChoice() {
  const { t, i18n } = useTranslation();
  return (
    <ChoiceField
      label={t('menu.language')}
      value={i18n.language as Language}
      choices={Object.entries(LANGUAGES).map(([value, text]) => ({ value: value as Language, text }))}
      onChange={(language) => void chooseLanguage(language)}
    />
  );
}

/** What has no room in the bar of a phone. */
function More({ places }: { readonly places: readonly Place[] }) {
  const { t, i18n } = useTranslation();
  const { signOut } = useAccess();
  const [, navigate] = useLocation();
  return (
    <MenuTrigger>
      <Button>
        <Icon name="more" />
        {t('menu.more')}
      </Button>
      <Popover className="popover" placement="top end">
        <Menu aria-label={t('menu.more')}>
          {places.map((place) => (
            <MenuItem key={place} className="option" textValue={t(`menu.${place}`)} onAction={() => navigate(PATHS[place])}>
              <Icon name={place as IconName} />
              {t(`menu.${place}`)}
            </MenuItem>
          ))}
          <MenuItem className="option" textValue="GraphiQL" onAction={() => window.open('/graphiql', '_blank', 'noreferrer')}>
            <Icon name="link" />
            GraphiQL
          </MenuItem>
          {Object.entries(LANGUAGES)
            .filter(([language]) => language !== i18n.language)
            .map(([language, name]) => (
              <MenuItem
                key={language}
                className="option"
                textValue={name}
                onAction={() => void chooseLanguage(language as Language)}
              >
                <Icon name="dot" />
                <span lang={language}>{name}</span>
              </MenuItem>
            ))}
          <MenuItem className="option" textValue={t('menu.signOut')} onAction={() => void signOut()}>
            <Icon name="leave" />
            {t('menu.signOut')}
          </MenuItem>
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}
