import { MAX_PAGE_SIZE, type Page, type PageArguments } from '../../database/paginate.js';

/** REST lists have no pages; this keeps one answer within a few megabytes. GraphQL has pages for whoever has more. */
export const MAX_ROWS = 10_000;

/** The newest 10,000 rows of a list, page by page through its use case. */
export async function listAll<T>(list: (args: PageArguments) => Promise<Page<T>>): Promise<T[]> {
  const rows: T[] = [];
  let after: string | null = null;
  do {
    const page: Page<T> = await list({ first: MAX_PAGE_SIZE, after });
    rows.push(...page.edges.map(({ node }) => node));
    after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
  } while (after !== null && rows.length < MAX_ROWS);
  return rows;
}
