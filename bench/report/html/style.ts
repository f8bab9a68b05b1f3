import { colourRules } from './palette.js';

const LIGHT = `
  --paper: #fbfaf7; --card: #ffffff; --ink: #1b1d1f; --soft: #5d6268; --faint: #8d9298; --line: #e3e0d8;
  --accent: #00696f; --good: #1c6b3a; --good-back: #e2f2e6; --bad: #a1281f; --bad-back: #fbe6e2;
  --unknown-back: #eeece6; --tokio-line: #b5451b;
`;

const DARK = `
  --paper: #14171a; --card: #1b1f23; --ink: #e9e8e4; --soft: #a4a9ae; --faint: #767c82; --line: #30353a;
  --accent: #4fd8df; --good: #86d9a0; --good-back: #1c3524; --bad: #ff9d8f; --bad-back: #43211c;
  --unknown-back: #2a2f34; --tokio-line: #ff9466;
`;

const RULES = `
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 ui-sans-serif, system-ui, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "DejaVu Sans", sans-serif;
  font-variant-numeric: tabular-nums;
}
main, header, footer { max-width: 1160px; margin: 0 auto; padding: 0 28px; }
h1, h2 { font-family: "Iowan Old Style", "Palatino Linotype", Palatino, Charter, Georgia, "DejaVu Serif", serif; font-weight: 600; line-height: 1.15; letter-spacing: -0.01em; text-wrap: balance; }
h1 { font-size: clamp(2rem, 5vw, 3.2rem); margin: 0; }
h2 { font-size: 1.65rem; margin: 0 0 .3rem; }
h3 { font-size: .95rem; margin: 0 0 .4rem; font-weight: 650; }
.scroll + h3 { margin-top: 2.2rem; }
.key { display: flex; flex-wrap: wrap; gap: .2rem 1.4rem; color: var(--soft); font-size: .85rem; margin: 0 0 .4rem; }
.key svg { display: inline-block; width: 34px; height: 14px; vertical-align: -2px; margin-right: .4em; }
p { margin: .4rem 0 1rem; max-width: 68ch; }
.lede { font-size: 1.15rem; color: var(--soft); max-width: 60ch; }
.note { color: var(--soft); font-size: .9rem; }
section { margin: 4rem 0; }
header { padding-top: 3.2rem; }
.warning { display: inline-block; max-width: none; margin: 1rem 0 0; padding: .35rem .8rem; border-radius: 8px; color: var(--bad); background: var(--bad-back); font-size: .9rem; }
.brand { display: flex; align-items: center; gap: .7rem; color: var(--accent); font-weight: 650; letter-spacing: .02em; margin-bottom: 1.6rem; }
.brand svg { width: 34px; height: 34px; }
.facts { display: flex; flex-wrap: wrap; gap: .3rem 1.6rem; color: var(--soft); font-size: .9rem; margin: 1.2rem 0 0; padding: 0; list-style: none; }
.facts b { color: var(--ink); font-weight: 600; }
.heroes { display: grid; grid-template-columns: repeat(auto-fit, minmax(200px, 1fr)); gap: 1px; margin: 2.2rem 0 0; background: var(--line); border: 1px solid var(--line); border-radius: 10px; overflow: hidden; }
.hero { background: var(--card); padding: 1.1rem 1.3rem 1.2rem; }
.hero .number { font-size: 2.5rem; line-height: 1.1; font-weight: 650; letter-spacing: -0.03em; color: var(--accent); }
.hero .number small { font-size: 1.3rem; font-weight: 550; margin-left: .05em; }
.hero.behind .number { color: var(--ink); }
.hero .what { font-weight: 600; }
.hero .how { color: var(--soft); font-size: .85rem; line-height: 1.35; }
.panels { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 430px), 1fr)); gap: 18px; margin: 1.2rem 0; }
.panel { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px 8px; margin: 0; min-width: 0; }
.panel h3 { display: flex; justify-content: space-between; gap: 1em; }
.panel h3 span { color: var(--soft); font-weight: 400; font-size: .85rem; }
svg { display: block; width: 100%; height: auto; }
svg text { font-size: 12.5px; fill: var(--ink); font-family: inherit; }
svg text.soft { fill: var(--soft); }
svg text.strong { font-weight: 650; }
svg text.tiny { font-size: 11px; fill: var(--soft); }
.bar { fill: var(--mark); }
.bar-back { fill: var(--line); opacity: .45; }
.whisker { stroke: var(--ink); stroke-width: 1.2; fill: none; }
.whisker-back { stroke: var(--card); stroke-width: 3.6; opacity: .7; fill: none; }
.first { fill: var(--card); stroke: var(--ink); stroke-width: 1.4; }
.one { stroke: var(--tokio-line); stroke-width: 1.4; stroke-dasharray: 4 3; }
.axis { stroke: var(--line); stroke-width: 1; }
.dot { fill: var(--mark); stroke: var(--card); stroke-width: 1.4; }
.reach { stroke: var(--mark); stroke-width: 2.2; opacity: .5; }
.spark { stroke: var(--mark); stroke-width: 2; fill: none; stroke-linecap: round; stroke-linejoin: round; }
.spark-end { fill: var(--mark); }
.row:hover .bar, .row:hover .dot { filter: brightness(1.12); }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.2rem; margin: .4rem 0 .8rem; padding: 0; list-style: none; font-size: .88rem; color: var(--soft); }
.legend i, .swatch { display: inline-block; width: .72em; height: .72em; border-radius: 3px; background: var(--mark); margin-right: .45em; }
.scroll { overflow-x: auto; -webkit-overflow-scrolling: touch; }
.wide svg { min-width: 700px; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: right; padding: .42rem .7rem; border-bottom: 1px solid var(--line); white-space: nowrap; vertical-align: top; }
thead th { color: var(--soft); font-weight: 550; font-size: .82rem; vertical-align: bottom; }
tbody th { font-weight: 550; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
.winners td:nth-child(2), .baseline td:nth-child(2), .winners th:nth-child(2), .baseline th:nth-child(2) { text-align: left; }
.prose td { text-align: left; white-space: normal; min-width: 10ch; }
.prose td.wide-text, .prose td:last-child { min-width: 24ch; }
.prose th { text-align: left; }
.prose tbody th { white-space: nowrap; }
.targets th:nth-child(6), .targets td:nth-child(6) { text-align: left; }
.targets td:nth-child(6) { white-space: normal; text-align: left; color: var(--soft); font-size: .82rem; min-width: 24ch; }
.targets tbody th { white-space: normal; min-width: 20ch; }
.group th { padding-top: 1.3rem; color: var(--soft); font-weight: 550; border-bottom-color: var(--faint); }
.chip { display: inline-block; padding: .05rem .55rem; border-radius: 99px; font-size: .8rem; font-weight: 600; white-space: nowrap; }
.chip.yes { color: var(--good); background: var(--good-back); }
.chip.no { color: var(--bad); background: var(--bad-back); }
.chip.none { color: var(--soft); background: var(--unknown-back); }
.spark-cell svg { width: 92px; height: 26px; }
.advice { color: var(--soft); }
details { margin: .6rem 0 0; }
summary { cursor: pointer; color: var(--soft); font-size: .9rem; }
summary:hover { color: var(--ink); }
a { color: var(--accent); }
footer { color: var(--soft); font-size: .85rem; padding-bottom: 3rem; }
dl.method { display: grid; grid-template-columns: minmax(9rem, 14rem) 1fr; gap: .5rem 1.5rem; margin: 1rem 0; }
dl.method dt { color: var(--soft); }
dl.method dd { margin: 0; max-width: 75ch; }
@media (max-width: 640px) {
  main, header, footer { padding: 0 16px; }
  header { padding-top: 1.8rem; }
  section { margin: 3rem 0; }
  .heroes { grid-template-columns: 1fr 1fr; }
  .hero { padding: .8rem .9rem; }
  .hero .number { font-size: 1.9rem; }
  .panel { padding: 12px 10px 6px; }
  dl.method { grid-template-columns: 1fr; gap: 0; }
  dl.method dd { margin-bottom: .8rem; }
}
@media print { body { background: #fff; } section { break-inside: avoid-page; } }
`;

export function stylesheet(): string {
  return `:root { color-scheme: light dark; ${LIGHT} }
${colourRules('light')}
${RULES}
@media (prefers-color-scheme: dark) {
:root { ${DARK} }
${colourRules('dark')}
}`;
}
