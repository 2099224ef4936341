import { useEffect, useRef } from 'react';
import type { AnyVariables, UseQueryResponse, UseQueryState } from 'urql';
import { useAccess } from '../access/Access.js';

/** Reads a query anew whenever live updates may have been missed. Returns its state, and a function that reads it anew. */
export function useFresh<Data, Variables extends AnyVariables>([state, execute]: UseQueryResponse<Data, Variables>): [
  UseQueryState<Data, Variables>,
  () => void,
] {
  const { missed } = useAccess();
  const seen = useRef(missed);
  const read = () => execute({ requestPolicy: 'network-only' });
  useEffect(() => {
    if (seen.current === missed) return;
    seen.current = missed;
    execute({ requestPolicy: 'network-only' });
  }, [missed, execute]);
  return [state, read];
}
