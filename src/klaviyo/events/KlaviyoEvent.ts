/** A value that Klaviyo's flow builder can filter on and its templates can print: no nested objects, no lists, no nulls. */
export type KlaviyoPropertyValue = string | number | boolean;

/** At least one of them. Klaviyo finds or creates the profile by it. */
export type KlaviyoProfileIdentifiers = {
  email?: string;
  /** E.164. */
  phone_number?: string;
  external_id?: string;
  anonymous_id?: string;
};

/** The identifiers and other attributes of a profile. */
export type KlaviyoProfile = KlaviyoProfileIdentifiers & {
  first_name?: string;
  last_name?: string;
  /** BCP 47. */
  locale?: string;
};

/** The body of Klaviyo's `POST /api/events` (operation create_event, JSON:API). */
export type KlaviyoEventBody = {
  data: {
    type: 'event';
    attributes: {
      properties: Record<string, KlaviyoPropertyValue>;
      /** RFC 3339, in UTC. */
      time: string;
      value?: number;
      /** ISO 4217. */
      value_currency?: string;
      /** True when Klaviyo must record the event but trigger no flow. */
      backfill?: true;
      /** Klaviyo recognizes a repeated event by this together with the profile and the metric. */
      unique_id: string;
      metric: { data: { type: 'metric'; attributes: { name: string } } };
      profile: { data: { type: 'profile'; attributes: KlaviyoProfile } };
    };
  };
};
