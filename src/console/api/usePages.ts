import { useEffect, useState } from 'react';
import { type AnyVariables, type TypedDocumentNode, useClient } from 'urql';

interface PageOf<Node> {
  readonly edges: readonly { readonly node: Node }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor?: string | null };
}

interface Pages<Node> {
  readonly rows: readonly Node[];
  /** Null: there are no more. */
  readonly readMore: (() => void) | null;
  readonly isBusy: boolean;
}

/** Follows the first page of a list, which its query keeps up to date, with older pages that are read on demand. */
export function usePages<Data, Variables extends AnyVariables, Node extends { readonly id: string }>(
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables,
  first: PageOf<Node> | undefined,
  pick: (data: Data) => PageOf<Node>,
): Pages<Node> {
  const client = useClient();
  const [older, setOlder] = useState<readonly PageOf<Node>[]>([]);
  const [isBusy, setBusy] = useState(false);
  const key = JSON.stringify(variables);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another list begins without older pages
  useEffect(() => setOlder([]), [key]);
  const last = older.at(-1) ?? first;
  async function read(after: string | null | undefined): Promise<void> {
    setBusy(true);
    const { data } = await client
      .query(document, { ...variables, after } as Variables, { requestPolicy: 'network-only' })
      .toPromise();
    setBusy(false);
    if (data) setOlder((pages) => [...pages, pick(data)]);
  }
  const nodes = [...(first?.edges ?? []), ...older.flatMap(({ edges }) => edges)].map(({ node }) => node);
  // A row that was new on the first page moves others to where an older page has them, too.
  const rows = [...new Map(nodes.map((node) => [node.id, node])).values()];
  return { rows, isBusy, readMore: last?.pageInfo.hasNextPage ? () => void read(last.pageInfo.endCursor) : null };
}
