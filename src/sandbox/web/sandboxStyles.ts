/** The one stylesheet of all sandbox pages. */
export const sandboxStyles = `
:root { color-scheme: light dark; --ink: #1d2430; --soft: #5b6676; --paper: #f4f5f7; --card: #fff; --line: #d9dee6; --accent: #0b6b4f;
  --warn: #b3261e; --sand: #f7c948; --sand-ink: #3b2c00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8ebf0; --soft: #a5afbd; --paper: #14181f; --card: #1d232d; --line: #343d4b;
  --accent: #4cc79b; --warn: #ff8a80; --sand: #5b4600; --sand-ink: #ffe9a8; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
.banner { margin: 0; padding: .6rem 1rem; background: var(--sand); color: var(--sand-ink); text-align: center; font-size: .9rem; }
.banner strong { letter-spacing: .08em; margin-right: .4rem; }
main { max-width: 60rem; margin: 0 auto; padding: 1rem; }
main.narrow, .narrow { max-width: 30rem; margin-inline: auto; }
footer { max-width: 60rem; margin: 0 auto; padding: 0 1rem 2rem; font-size: .9rem; }
footer a { margin-right: 1rem; }
a { color: var(--accent); }
h1 { font-size: 1.4rem; line-height: 1.25; margin: .2rem 0 .8rem; }
h2 { font-size: 1.1rem; margin: 0 0 .6rem; }
h3 { font-size: 1rem; margin: .8rem 0 .3rem; }
h3 .soft { font-weight: 400; }
.card > :first-child { margin-top: 0; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 1.1rem 1.2rem; margin: 1rem 0;
  box-shadow: 0 1px 2px rgb(0 0 0 / 6%); }
.soft { color: var(--soft); font-size: .92rem; }
.app { display: flex; align-items: center; gap: .8rem; margin-bottom: .8rem; }
.mark { flex: none; width: 2.8rem; height: 2.8rem; border-radius: 12px; background: var(--accent); color: var(--card); display: grid;
  place-items: center; font-weight: 700; }
.scopes { list-style: none; margin: .4rem 0 1rem; padding: 0; }
.scopes li { padding: .45rem 0; border-bottom: 1px solid var(--line); display: flex; justify-content: space-between; gap: 1rem;
  flex-wrap: wrap; }
fieldset { border: 1px solid var(--line); border-radius: 10px; margin: 0 0 1rem; padding: .6rem .9rem; }
legend { font-weight: 600; padding: 0 .3rem; }
label.choice { display: flex; gap: .6rem; align-items: center; min-height: 44px; }
.field { display: grid; gap: .2rem; font-size: .9rem; }
.fields { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .7rem; align-items: end; }
input, select, textarea, button { font: inherit; color: inherit; }
input:not([type=radio], [type=checkbox]), select, textarea { width: 100%; min-height: 44px; padding: .4rem .6rem; border: 1px solid var(--line);
  border-radius: 8px; background: var(--paper); }
button { min-height: 44px; padding: .4rem 1.1rem; border-radius: 10px; border: 1px solid var(--line); background: var(--card); cursor: pointer; }
button.primary { background: var(--accent); border-color: var(--accent); color: var(--card); font-weight: 600; }
button.danger { color: var(--warn); border-color: currentcolor; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.buttons { display: flex; gap: .7rem; flex-wrap: wrap; align-items: center; }
form { margin-top: .7rem; }
.wide button { flex: 1; }
code, pre { font: .85rem/1.45 ui-monospace, monospace; }
pre { background: var(--paper); border: 1px solid var(--line); border-radius: 8px; padding: .6rem; overflow: auto; max-height: 28rem;
  white-space: pre-wrap; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem .35rem 0; border-bottom: 1px solid var(--line); }
.tag { display: inline-block; padding: .05rem .5rem; border-radius: 99px; border: 1px solid var(--line); font-size: .82rem; }
.tag.good { color: var(--accent); border-color: currentcolor; }
.tag.bad { color: var(--warn); border-color: currentcolor; }
`;
