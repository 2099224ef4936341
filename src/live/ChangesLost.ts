/** A watch may have missed something: whoever watches has to look at everything anew, and watch again. */
export class ChangesLost extends Error {
  override readonly name = 'ChangesLost';

  constructor(reason: string) {
    super(`Updates may have been missed (${reason}). Read what you need anew, and subscribe again.`);
  }
}
