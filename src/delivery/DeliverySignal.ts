/** Tells workers that deliveries are due. They find them without it too, a little later. */
export interface DeliverySignal {
  /** To be called after the commit. Never throws, never waits; calls in quick succession are one. */
  notify(): void;
}
