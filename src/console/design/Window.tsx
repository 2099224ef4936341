import type { ReactNode } from 'react';
import { Dialog, Heading, Modal, ModalOverlay } from 'react-aria-components';

interface WindowProps {
  readonly title: string;
  readonly children: ReactNode;
  readonly onClose: () => void;
  readonly isWide?: boolean;
  /** It interrupts, and is closed by one of its buttons only. */
  readonly isAlert?: boolean;
}

/** A dialog over the screen. Escape and a click beside it close it; focus returns to where it was. */
export function Window({ title, children, onClose, isWide, isAlert }: WindowProps) {
  return (
    <ModalOverlay className="veil" isOpen isDismissable={!isAlert} onOpenChange={(isOpen) => !isOpen && onClose()}>
      <Modal className={isWide ? 'modal wide' : 'modal'}>
        <Dialog className="dialog" role={isAlert ? 'alertdialog' : 'dialog'}>
          <Heading slot="title">{title}</Heading>
          {children}
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
