import type { PropertyBag } from './propertyBag.js';

/**
 * How the data of an event type becomes a Klaviyo event. Data was validated when it was published, possibly against an
 * older schema: a mapping leaves out what it doesn't find and never throws.
 */
export interface EventMapping {
  /** What triggers a flow in Klaviyo: under 128 characters, and the same for ever, because flows are built on it. */
  metricName(eventType: string, data: Readonly<Record<string, unknown>>): string;
  addProperties(bag: PropertyBag, data: Readonly<Record<string, unknown>>): void;
  /** When it happened, if the data says so: RFC 3339, not checked here. */
  occurredAt(data: Readonly<Record<string, unknown>>): unknown;
}
