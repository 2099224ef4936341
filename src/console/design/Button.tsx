import type { ReactNode } from 'react';
import { Button as AriaButton } from 'react-aria-components';
import { Icon, type IconName } from './Icon.js';

export interface ButtonProps {
  readonly children: ReactNode;
  readonly kind?: 'main' | 'plain' | 'danger' | 'danger main';
  readonly icon?: IconName;
  readonly type?: 'button' | 'submit';
  /** The button keeps its place and its focus while it works, and does nothing more. */
  readonly isBusy?: boolean;
  readonly isDisabled?: boolean;
  readonly label?: string;
  readonly onPress?: () => void;
}

export function Button({ children, kind, icon, type = 'button', isBusy, isDisabled, label, onPress }: ButtonProps) {
  return (
    <AriaButton
      className={`button ${kind ?? ''} ${isBusy ? 'busy' : ''}`}
      type={type}
      isDisabled={isDisabled}
      aria-label={label}
      onPress={isBusy ? undefined : onPress}
    >
      {icon && <Icon name={icon} />}
      {children}
    </AriaButton>
  );
}
