import type { ReactNode } from 'react';
import {
  Button as AriaButton,
  FieldError,
  Input,
  Label,
  ListBox,
  ListBoxItem,
  Popover,
  Select,
  SelectValue,
  Switch,
  Text,
  TextArea,
  TextField,
} from 'react-aria-components';
import { Icon } from './Icon.js';

interface TextFieldProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly hint?: string;
  /** What is wrong with the value, in a sentence. */
  readonly error?: string;
  readonly type?: 'text' | 'url' | 'password' | 'search';
  readonly placeholder?: string;
  readonly isLong?: boolean;
  readonly isWide?: boolean;
  readonly isRequired?: boolean;
  readonly autoFocus?: boolean;
  readonly autoComplete?: string;
}

/** A text field with its label, a hint, and the problem of its value. */
export function Field({ label, hint, error, placeholder, isLong, isWide, autoComplete = 'off', ...field }: TextFieldProps) {
  return (
    <TextField
      {...field}
      className={`field ${isWide ? 'wide' : ''}`}
      isInvalid={error !== undefined}
      autoComplete={autoComplete}
      validationBehavior="aria"
    >
      <Label>{label}</Label>
      {isLong ? (
        <TextArea className="input" spellCheck={false} />
      ) : (
        <Input className="input" placeholder={placeholder} spellCheck={false} />
      )}
      {hint && (
        <Text slot="description" className="hint">
          {hint}
        </Text>
      )}
      <FieldError className="error">{error}</FieldError>
    </TextField>
  );
}

export interface Choice<Value extends string> {
  readonly value: Value;
  readonly text: string;
}

interface ChoiceFieldProps<Value extends string> {
  readonly label: string;
  readonly value: Value;
  readonly choices: readonly Choice<Value>[];
  readonly onChange: (value: Value) => void;
  readonly error?: string;
  readonly hint?: string;
}

/** A list of which one value is chosen. */
export function ChoiceField<Value extends string>(props: ChoiceFieldProps<Value>) {
  const { label, value, choices, onChange, error, hint } = props;
  return (
    <Select
      className="field"
      value={value}
      onChange={(key) => onChange(key as Value)}
      isInvalid={error !== undefined}
      validationBehavior="aria"
    >
      <Label>{label}</Label>
      <AriaButton className="choice">
        <SelectValue className="cut" />
        <Icon name="down" />
      </AriaButton>
      {hint && (
        <Text slot="description" className="hint">
          {hint}
        </Text>
      )}
      <FieldError className="error">{error}</FieldError>
      <Popover className="popover">
        <ListBox items={choices.map((choice) => ({ ...choice, id: choice.value }))}>
          {({ id, text }) => (
            <ListBoxItem id={id} className="option" textValue={text}>
              {text}
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </Select>
  );
}

interface SwitchFieldProps {
  readonly children: ReactNode;
  readonly isOn: boolean;
  readonly onChange: (isOn: boolean) => void;
  readonly isDisabled?: boolean;
  readonly label?: string;
}

export function SwitchField({ children, isOn, onChange, isDisabled, label }: SwitchFieldProps) {
  return (
    <Switch className="switch" isSelected={isOn} onChange={onChange} isDisabled={isDisabled} aria-label={label}>
      <span className="track" />
      {children}
    </Switch>
  );
}
