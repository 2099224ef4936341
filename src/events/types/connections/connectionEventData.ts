/** A connection as our own events show it. Values are in lower case, as everywhere in JSON bodies. */
export type ConnectionSnapshot = {
  /** The id by which the API knows the connection. */
  id: string;
  type: string;
  name: string | null;
  status: 'pending_authorization' | 'active' | 'reauthorization_required' | 'disabled';
  /** For a person: why it is in this status. */
  status_reason: string | null;
};

/** What `data` of every `connections.*` event has. */
export type ConnectionEventData = {
  /** As it was right after what happened. */
  connection: ConnectionSnapshot;
  /** RFC 3339. */
  occurred_at: string;
};
