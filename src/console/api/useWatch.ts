import { useEffect, useRef } from 'react';
import { type AnyVariables, type TypedDocumentNode, useClient } from 'urql';
import { useAccess } from '../access/Access.js';

/** Milliseconds after which the server has surely begun to watch. */
const BEGUN_AFTER = 500;

/** Hears live updates. Nothing is rendered for those that `hear` ignores: in a busy organization, most are about something else. */
export function useWatch<Data, Variables extends AnyVariables>(
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables,
  hear: (data: Data) => void,
): void {
  const client = useClient();
  const latest = useRef(hear);
  latest.current = hear;
  const key = JSON.stringify(variables);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key says all that the variables do
  useEffect(() => {
    const watch = client.subscription(document, variables).subscribe(({ data }) => {
      if (data) latest.current(data);
    });
    return () => watch.unsubscribe();
  }, [client, document, key]);
}

/** Reads once more when a watch has begun: nothing was heard of what changed between the first answer and then. */
export function useSecondLook(read: () => void): void {
  const { socket } = useAccess();
  const latest = useRef(read);
  latest.current = read;
  useEffect(() => {
    if (socket !== 'open') return;
    const timer = setTimeout(() => latest.current(), BEGUN_AFTER);
    return () => clearTimeout(timer);
  }, [socket]);
}
