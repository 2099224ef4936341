/** Name of the Postgres channel (LISTEN, NOTIFY) on which the triggers of migration 0005 tell of changes. */
export const CHANGE_CHANNEL = 'switchboard_changes';
