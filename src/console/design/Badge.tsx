import { Icon, type IconName } from './Icon.js';

export type Tone = 'good' | 'bad' | 'wait' | 'still';

const ICONS: Readonly<Record<Tone, IconName>> = { good: 'check', bad: 'cross', wait: 'clock', still: 'dot' };

/** Shows a status by colour, icon and text, so that none of them has to be seen. */
export function Badge({ tone, icon = ICONS[tone], text }: { tone: Tone; icon?: IconName; text: string }) {
  return (
    <span className={`badge ${tone}`}>
      <Icon name={icon} />
      {text}
    </span>
  );
}
