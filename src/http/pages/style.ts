/** The look of every page of ours: one column, the system's font, light and dark, good at 320 pixels. */
export const style = `
:root { color-scheme: light dark; --ink: #16202c; --quiet: #5a6775; --paper: #fff; --ground: #f2f4f7; --good: #147a4b; --bad: #b3261e; --wait: #8a5a00; --link: #1f5fbf; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8edf3; --quiet: #9aa7b5; --paper: #1b232d; --ground: #10161d; --good: #5fd39a; --bad: #ff8a80; --wait: #f2c063; --link: #8ab8ff; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.25rem; background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
main { width: 100%; max-width: 30rem; padding: 2rem 1.75rem; border-radius: 1rem; background: var(--paper); box-shadow: 0 1px 3px #0002, 0 8px 32px #0001; }
.mark { width: 3rem; height: 3rem; border-radius: 50%; display: grid; place-items: center; font-size: 1.5rem; font-weight: 700; border: 2px solid currentColor; }
.good { color: var(--good); } .bad { color: var(--bad); } .wait { color: var(--wait); }
h1 { margin: 1rem 0 .5rem; font-size: 1.5rem; line-height: 1.25; overflow-wrap: anywhere; }
p { margin: .5rem 0; overflow-wrap: anywhere; }
.quiet { color: var(--quiet); font-size: .9rem; }
code { font-size: .85em; }
a.button { display: inline-block; margin-top: 1rem; padding: .65rem 1.25rem; border-radius: .5rem; background: var(--link); color: var(--paper); text-decoration: none; font-weight: 600; }
.sandbox { margin: -2rem -1.75rem 1.5rem; padding: .5rem 1.75rem; border-radius: 1rem 1rem 0 0; background: #ffd84d; color: #3b2f00; font-size: .85rem; font-weight: 600; }
`;
