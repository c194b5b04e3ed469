/**
 * The style sheet of listings, inside the page.
 *
 * @module
 */

/** The style sheet. */
export const LISTING_STYLE = `
:root { color-scheme: light dark; --page: #fdfdfc; --text: #1c1e21; --faint: #646a73;
  --line: #e7e7e4; --hover: #f3f3f0; --link: #0a58c2; }
@media (prefers-color-scheme: dark) {
  :root { --page: #16181b; --text: #e4e6e9; --faint: #979da6; --line: #292c31; --hover: #1e2125;
    --link: #82b4ff; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: clamp(1.25rem, 5vw, 4rem) clamp(1rem, 4vw, 2rem) 4rem;
  max-width: 56rem; background: var(--page); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif; -webkit-text-size-adjust: 100%; }
a { color: var(--link); text-decoration: none; }
a:hover { text-decoration: underline; text-underline-offset: .2em; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: 3px; }
h1 { margin: 0; font-size: 1.75rem; line-height: 1.2; font-weight: 650; letter-spacing: -.015em;
  overflow-wrap: anywhere; }
header p { margin: .4rem 0 2rem; color: var(--faint); font-size: .875rem; }
nav ol { display: flex; flex-wrap: wrap; margin: 0 0 .5rem; padding: 0; list-style: none;
  font-size: .875rem; }
nav li { overflow-wrap: anywhere; }
nav li::after { content: "/"; margin: 0 .5em; color: var(--faint); }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap; }
th, td { padding: 0; font-weight: inherit; text-align: left; vertical-align: baseline;
  border-bottom: 1px solid var(--line); }
td, thead th { font-size: .875rem; color: var(--faint); }
td, thead th + th { width: 1%; padding-left: 1.75rem; text-align: right; white-space: nowrap; }
thead th { position: sticky; top: 0; z-index: 1; background: var(--page); }
thead a { display: inline-block; padding: .5rem 0; color: inherit; }
[aria-sort] a { color: var(--text); font-weight: 600; }
[aria-sort=ascending] a::before { content: "↑ "; }
[aria-sort=descending] a::before { content: "↓ "; }
tbody tr:hover, tbody tr:focus-within { background: var(--hover); }
tbody th a { display: block; padding: .55rem 0 .55rem 1.9rem; position: relative;
  overflow-wrap: anywhere; white-space: pre-wrap; color: var(--text); }
tbody a:focus-visible { outline-offset: -2px; }
tbody .directory a { font-weight: 550; }
tbody .directory a span { color: var(--faint); font-weight: 400; }
tbody th a::before { content: ""; position: absolute; left: .35rem; top: 1.3rem;
  width: .95rem; height: .8rem; transform: translateY(-50%); background: var(--link);
  clip-path: polygon(0 12%, 8% 0, 38% 0, 48% 16%, 92% 16%, 100% 26%, 100% 90%, 93% 100%, 7% 100%, 0 90%); }
tbody .file a::before { left: .45rem; width: .75rem; height: .95rem; background: var(--faint);
  opacity: .45; clip-path: polygon(0 0, 62% 0, 100% 32%, 100% 100%, 0 100%); }
.unserved th span { display: block; padding: .55rem 0 .55rem 1.9rem; color: var(--faint);
  overflow-wrap: anywhere; }
.unserved td { white-space: normal; }
.empty { padding: 3rem 0; text-align: center; color: var(--faint);
  border-block: 1px solid var(--line); }
form { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem 1rem; margin: 0 0 1.5rem;
  padding: .75rem 1rem; border: 1px solid var(--line); border-radius: .5rem; font-size: .875rem; }
form label { color: var(--faint); }
form input { flex: 1 1 14rem; min-width: 0; font: inherit; color: inherit; }
button, ::file-selector-button { font: inherit; padding: .3rem .8rem; border-radius: .375rem;
  border: 1px solid var(--line); background: var(--hover); color: inherit; cursor: pointer; }
button { border-color: transparent; background: var(--link); color: var(--page); font-weight: 600; }
header .path { overflow-wrap: anywhere; }
.error { padding: 1.5rem 0; border-block: 1px solid var(--line); }
.error p { margin: 0; overflow-wrap: anywhere; }
.error ul { margin: 1rem 0 0; padding-left: 1.25rem; }
.error li { overflow-wrap: anywhere; }
.error .ways { display: flex; flex-wrap: wrap; gap: .75rem 1.5rem; margin-top: 1.5rem; }
.error .ways a:first-child { padding: .4rem 1rem; margin: -.4rem 0; border-radius: .375rem;
  background: var(--link); color: var(--page); font-weight: 600; }
@media (max-width: 36rem) {
  time span { display: none; }
  td, thead th { font-size: .8125rem; }
  td, thead th + th { padding-left: .9rem; }
}
`;
