import { useTranslation } from 'react-i18next';
import { Button } from './Button.js';

/** Reads older rows below those that are shown. */
export function MoreButton({ onPress, isBusy }: { readonly onPress: () => void; readonly isBusy?: boolean }) {
  const { t } = useTranslation();
  return (
    <div className="empty">
      <Button onPress={onPress} isBusy={isBusy}>
        {t('showMore')}
      </Button>
    </div>
  );
}
