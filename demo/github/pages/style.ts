/** Colours follow the reader's light or dark scheme. */
export const STYLE = `
:root { color-scheme: light dark; --text: light-dark(#1f2328, #e6edf3); --soft: light-dark(#59636e, #9198a1); --line: light-dark(#d1d9e0, #3d444d);
  --paper: light-dark(#ffffff, #0d1117); --panel: light-dark(#f6f8fa, #151b23); --link: light-dark(#0758bd, #6cb0ff);
  --good: light-dark(#116329, #4ac26b); --bad: light-dark(#b3141f, #ff7b72); --busy: light-dark(#7a4d05, #e3b341); --merged: light-dark(#6639ba, #c297ff); }
* { box-sizing: border-box; }
body { margin: 0; font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--paper); }
body > header { padding: .7rem 1.2rem; background: var(--panel); border-bottom: 1px solid var(--line); color: var(--soft); }
body > header a { font-weight: 600; color: var(--text); text-decoration: none; margin-right: .8rem; }
main { max-width: 58rem; margin: 1.5rem auto; padding: 0 1.2rem; }
h1 { font-size: 1.5rem; font-weight: 600; margin: 0 0 .3rem; } h1 small { color: var(--soft); font-weight: 400; }
h2 { font-size: 1rem; margin: 1.8rem 0 .5rem; }
a { color: var(--link); } code { font: 13px ui-monospace, monospace; }
ul { list-style: none; margin: 0; padding: 0; }
ul.list { border: 1px solid var(--line); border-radius: 8px; overflow-wrap: anywhere; }
ul.list > li { padding: .55rem .9rem; border-top: 1px solid var(--line); } ul.list > li:first-child { border-top: 0; }
ul.list ul { margin: .3rem 0 0; padding: 0 0 0 1rem; color: var(--soft); }
.soft { color: var(--soft); } .empty { color: var(--soft); }
.state { font-weight: 600; } .success, .open { color: var(--good); } .failure, .error, .closed { color: var(--bad); }
.pending, .queued, .in_progress { color: var(--busy); } .merged { color: var(--merged); } .inactive { color: var(--soft); }
.row { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; }
form { margin: .8rem 0 0; } textarea { width: 100%; min-height: 5rem; }
textarea, select, button, .button { font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--line); border-radius: 6px; padding: .35rem .8rem; }
button, .button { cursor: pointer; font-weight: 600; text-decoration: none; display: inline-block; }
button.go { color: light-dark(#ffffff, #0d1117); background: var(--good); border-color: transparent; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
pre.body { margin: .3rem 0 0; white-space: pre-wrap; font: inherit; }
`;
