/** Name of the Postgres channel (LISTEN, NOTIFY) on which publishers wake the workers of other processes. */
export const WAKE_CHANNEL = 'switchboard_deliveries';
