/** What Klaviyo's flow builder can filter on and its templates can print: no nested objects, no lists, no nulls. */
export type KlaviyoPropertyValue = string | number | boolean;

/** At least one of them; Klaviyo finds or makes the profile by it. */
export type KlaviyoProfileIdentifiers = {
  email?: string;
  /** E.164. */
  phone_number?: string;
  external_id?: string;
};

/** The body of Klaviyo's `POST /api/events` (operation create_event, JSON:API). */
export type KlaviyoEventBody = {
  data: {
    type: 'event';
    attributes: {
      properties: Record<string, KlaviyoPropertyValue>;
      /** RFC 3339, in UTC. */
      time: string;
      /** With the profile and the metric, what Klaviyo recognizes a repetition by. */
      unique_id: string;
      metric: { data: { type: 'metric'; attributes: { name: string } } };
      profile: { data: { type: 'profile'; attributes: KlaviyoProfileIdentifiers } };
    };
  };
};
