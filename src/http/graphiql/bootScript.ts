/**
 * Starts GraphiQL in the browser. Served as a file of its own, since the page's policy allows no inline script.
 *
 * What it guards against:
 * - The storage has a name of its own. On localhost, GraphiQL of other projects would otherwise show its tabs here.
 * - Headers are credentials: they are never stored, and stored ones would outlive the database that they belong to. GraphiQL
 *   leaves them out of its tabs when asked, but not out of its history.
 * - GraphiQL forgets the variables of the first of its default tabs, hence `variables` on the first visit.
 * - For a moment after another tab was chosen, GraphiQL still has that other tab's operation in mind. A quick click would be
 *   answered with "Unknown operation", or send a subscription over HTTP: hence `fetchWhatIsShown`.
 */
export const bootScript = `'use strict';
(() => {
  const config = JSON.parse(document.getElementById('graphiql-config').textContent);
  const defaultHeaders = config.defaultHeaders && JSON.stringify(config.defaultHeaders, null, 2);
  const local = GraphiQL.createLocalStorage({ namespace: 'switchboard' });
  const withHeaders = (headers, key, text) =>
    text && /:(queries|favorites)$/.test(key)
      ? JSON.stringify(JSON.parse(text, (name, value) => (name === 'headers' ? headers : value)))
      : text;
  const storage = Object.assign(Object.create(local), {
    getItem: (key) => withHeaders(defaultHeaders ?? '', key, local.getItem(key)),
    setItem: (key, text) => local.setItem(key, withHeaders('', key, text)),
  });
  const firstVisit = !storage.getItem('graphiql:tabState');
  const endpoint = new URL('/graphql', location.href);
  const socket = new URL(endpoint);
  socket.protocol = endpoint.protocol === 'https:' ? 'wss:' : 'ws:';
  const tabs = config.examples.map(({ name, query, variables }) => ({ query: '# ' + name + '\\n' + query, variables }));
  const fetcher = GraphiQL.createFetcher({ url: endpoint.href, subscriptionUrl: socket.href });
  const fetchWhatIsShown = (params, options) => {
    let documentAST;
    try {
      documentAST = GraphiQL.GraphQL.parse(params.query);
    } catch {
      return fetcher(params, options); // The server says what is wrong with it.
    }
    const names = documentAST.definitions.filter(({ kind }) => kind === 'OperationDefinition').map(({ name }) => name?.value);
    const operationName = names.includes(params.operationName) || names.length > 1 ? params.operationName : names[0];
    return fetcher({ ...params, operationName }, { ...options, documentAST });
  };
  const properties = {
    fetcher: fetchWhatIsShown,
    storage,
    shouldPersistHeaders: false,
    defaultEditorToolsVisibility: tabs.some(({ variables }) => variables) ? 'variables' : true,
    defaultHeaders,
    defaultTabs: tabs.length > 0 ? tabs : undefined,
    variables: firstVisit && tabs.length > 0 ? tabs[0].variables : undefined,
  };
  const logo = React.createElement(GraphiQL.Logo, null, 'Switchboard');
  ReactDOM.createRoot(document.getElementById('graphiql')).render(React.createElement(GraphiQL, properties, logo));
})();
`;
