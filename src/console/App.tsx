import { lazy, Suspense } from 'react';
import { I18nProvider } from 'react-aria-components';
import { useTranslation } from 'react-i18next';
import { Redirect, Route, Router, Switch } from 'wouter';
import { AccessProvider, useAccess } from './access/Access.js';
import { SignIn, Trouble } from './access/SignIn.js';
import { ConnectionPage } from './connections/ConnectionPage.js';
import { ConnectionsPage } from './connections/ConnectionsPage.js';
import { DeliveriesPage } from './deliveries/DeliveriesPage.js';
import { DeliveryPage } from './deliveries/DeliveryPage.js';
import { Empty, Page, Skeleton } from './design/Page.js';
import { embeddedLocation } from './embedding.js';
import { Frame } from './Frame.js';
import { LiveUpdates } from './LiveUpdates.js';
import { OverviewPage } from './overview/OverviewPage.js';
import { SubscriptionsPage } from './subscriptions/SubscriptionsPage.js';
import { suggestLanguage } from './texts/texts.js';

// Screens of developers and platforms, which a merchant never loads.
const DevelopersPage = lazy(() => import('./developers/DevelopersPage.js'));
const EventsPage = lazy(() => import('./events/EventsPage.js'));
const EventPage = lazy(() => import('./events/EventPage.js'));
const OrganizationsPage = lazy(() => import('./organizations/OrganizationsPage.js'));

export function App() {
  const { i18n, t } = useTranslation();
  return (
    <I18nProvider locale={i18n.language}>
      <Router base="/console" hook={embeddedLocation?.hook} searchHook={embeddedLocation?.searchHook}>
        <AccessProvider
          door={(signIn, reason) => <SignIn signIn={signIn} reason={reason} />}
          waiting={<Skeleton label={t('loading')} />}
          trouble={(error, retry, leave) => <Trouble error={error} onRetry={retry} onLeave={leave} />}
          onLocale={suggestLanguage}
        >
          <Frame>
            <Suspense fallback={<Skeleton label={t('loading')} />}>
              <Screens />
            </Suspense>
          </Frame>
        </AccessProvider>
      </Router>
    </I18nProvider>
  );
}

function Screens() {
  const { t } = useTranslation();
  const { isPlatform } = useAccess();
  if (isPlatform) return <OrganizationsPage />;
  return (
    <>
      <LiveUpdates />
      <Switch>
        <Route path="/" component={OverviewPage} />
        <Route path="/connections" component={ConnectionsPage} />
        <Route path="/connections/:id">{({ id }) => <ConnectionPage key={id} id={id} />}</Route>
        <Route path="/subscriptions" component={SubscriptionsPage} />
        <Route path="/deliveries" component={DeliveriesPage} />
        <Route path="/deliveries/:id">{({ id }) => <DeliveryPage key={id} id={id} />}</Route>
        <Route path="/events" component={EventsPage} />
        <Route path="/events/:id">{({ id }) => <EventPage key={id} id={id} />}</Route>
        <Route path="/developers">{() => <Redirect to="/developers/keys" replace />}</Route>
        <Route path="/developers/:part">{({ part }) => <DevelopersPage part={part} />}</Route>
        <Route path="/organizations" component={OrganizationsPage} />
        <Route>
          <Page title={t('nowhere.title')}>
            <Empty icon="warning" title={t('nowhere.title')}>
              {t('nowhere.text')}
            </Empty>
          </Page>
        </Route>
      </Switch>
    </>
  );
}
