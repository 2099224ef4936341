import { Html, html } from '../pages/html.js';
import type { GraphiqlOptions } from './GraphiqlOptions.js';
import type { GraphiqlAssets } from './loadGraphiqlAssets.js';

/** The page. Its configuration is data, not script; `<` is escaped so that no text in it can end the element. */
export function graphiqlPage({ scripts, styles }: GraphiqlAssets, { defaultHeaders, examples }: GraphiqlOptions): string {
  const config = new Html(JSON.stringify({ defaultHeaders, examples }).replaceAll('<', '\\u003c'));
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Switchboard · GraphiQL</title>
<link rel="icon" href="data:,">
${new Html(styles.map(({ path }) => html`<link rel="stylesheet" href="${path}">`.markup).join('\n'))}
</head>
<body>
<div id="graphiql"><noscript>GraphiQL needs JavaScript. The schema is at <a href="/schema.graphql">/schema.graphql</a>.</noscript></div>
<script type="application/json" id="graphiql-config">${config}</script>
${new Html(scripts.map(({ path }) => html`<script src="${path}"></script>`.markup).join('\n'))}
</body>
</html>
`.markup;
}
