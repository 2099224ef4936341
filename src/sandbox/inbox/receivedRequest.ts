import { html, type SafeHtml } from '../web/html.js';
import type { ReceivedRequest } from './inboxStore.js';
import type { SignatureVerdict } from './verifySignature.js';

const VERDICT_WORDS: Record<SignatureVerdict['verdict'], string> = {
  valid: 'signature valid',
  invalid: 'signature invalid',
  unsigned: 'not signed',
  unchecked: 'signature not checked',
};

/** One request that arrived, with everything in it: this is a sandbox, so credentials are shown too. */
export const receivedRequest = (request: ReceivedRequest): SafeHtml => html`<article class="card">
<h3>${request.sequence}. ${request.method} <span class="soft">${request.receivedAt}, answered ${request.answered ?? 'not at all'}</span></h3>
<p>${verdictTag(request.signature)}${request.query && html` <code>?${request.query}</code>`}</p>
<details><summary>Headers</summary><div class="scroll"><table>${Object.entries(request.headers).map(
  ([name, value]) => html`<tr><th scope="row">${name}</th><td><code>${value}</code></td></tr>`,
)}</table></div></details>
<pre>${pretty(request.body)}</pre>
${request.bodyBytes > Buffer.byteLength(request.body) && html`<p class="soft">The beginning of ${request.bodyBytes} bytes.</p>`}
</article>`;

function verdictTag({ verdict, reason }: SignatureVerdict): SafeHtml {
  const tone = verdict === 'valid' ? 'good' : verdict === 'unchecked' ? '' : 'bad';
  return html`<span class="tag ${tone}">${VERDICT_WORDS[verdict]}</span>${reason && html` <span class="soft">${reason}</span>`}`;
}

function pretty(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}
