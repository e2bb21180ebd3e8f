/** What came of a try to deliver. */
export type Outcome =
  | { readonly kind: 'delivered' }
  /** Another try may go better. */
  | { readonly kind: 'failed'; readonly why: string; readonly afterMs?: number }
  /** No other try would go better. */
  | { readonly kind: 'refused'; readonly why: string };

export const delivered: Outcome = { kind: 'delivered' };

/** A delivery that cannot be made as things are: a Secret is missing, or says nonsense. It may be mended. */
export class DeliveryError extends Error {
  override readonly name = 'DeliveryError';
}
