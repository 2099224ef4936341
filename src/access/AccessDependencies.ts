import type { Database } from '../database/Database.js';
import type { AccessLimits } from './AccessLimits.js';

/** What it takes to find out who calls. */
export interface AccessDependencies {
  readonly database: Database;
  readonly limits: AccessLimits;
}
