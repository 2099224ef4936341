import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parcelMetricNames } from '../../../src/klaviyo/events/eventMappings.js';

describe('docs/klaviyo-events.md', () => {
  it('names the metric of every phase', async () => {
    const text = await readFile(new URL('../../../docs/klaviyo-events.md', import.meta.url), 'utf8');
    const rows = Object.fromEntries([...text.matchAll(/^\| `(\w+)`.* \| (Parcel [\w ]+) \|$/gm)].map((row) => [row[1], row[2]]));
    expect(rows).toEqual(parcelMetricNames);
  });
});
