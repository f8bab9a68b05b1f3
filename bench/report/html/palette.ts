/**
 * One hue for each family and two lightnesses for its variants, chosen to differ in lightness too, so that they can be
 * told apart without colour. Every mark also has its name beside it. [light theme, dark theme]
 */
const COLOURS: Readonly<Record<string, readonly [string, string]>> = {
  'millrace-fibers': ['#00696f', '#4fd8df'],
  'millrace-handlers': ['#00696f', '#4fd8df'],
  'millrace-sockets': ['#00696f', '#4fd8df'],
  'millrace-async': ['#4aa3a8', '#2a9aa1'],
  'millrace-streams': ['#4aa3a8', '#2a9aa1'],
  'millrace-fibers-uv': ['#3c5f78', '#9cc3df'],
  'millrace-handlers-uv': ['#3c5f78', '#9cc3df'],
  'millrace-sockets-uv': ['#3c5f78', '#9cc3df'],
  'millrace-async-uv': ['#87a3b8', '#64889f'],
  'millrace-streams-uv': ['#87a3b8', '#64889f'],
  'millrace-http': ['#00696f', '#4fd8df'],
  'millrace-http-uv': ['#3c5f78', '#9cc3df'],
  'millrace-express': ['#00696f', '#4fd8df'],
  'millrace-express-uv': ['#3c5f78', '#9cc3df'],
  'millrace-hono': ['#00696f', '#4fd8df'],
  'millrace-hono-uv': ['#3c5f78', '#9cc3df'],
  'tokio-current': ['#b5451b', '#ff9466'],
  'tokio-multi': ['#e39a6f', '#c4683d'],
  hyper: ['#b5451b', '#ff9466'],
  'tokio-fixed': ['#e39a6f', '#c4683d'],
  c: ['#6f6a60', '#b9b2a4'],
  go: ['#5b55b8', '#a8a2ff'],
  'go-one': ['#5b55b8', '#a8a2ff'],
  bun: ['#b0427f', '#f08cc0'],
  'hono-bun': ['#b0427f', '#f08cc0'],
  deno: ['#8a6d00', '#e0c04a'],
  node: ['#5c7d2f', '#a5cc6b'],
  express: ['#93a86f', '#6f8a45'],
  fastify: ['#3f5a1c', '#c9e6a0'],
  'hono-node': ['#5c7d2f', '#a5cc6b'],
  uws: ['#2f3f8f', '#8fa0ff'],
};

const UNKNOWN: readonly [string, string] = ['#666666', '#999999'];

export function colourClass(contestant: string): string {
  return `c-${contestant}`;
}

/** The same for two contestants whose marks look the same. */
export function colourKey(contestant: string): string {
  return (COLOURS[contestant] ?? UNKNOWN).join(' ');
}

/** The rules that give each contestant's marks their colour, in one theme. */
export function colourRules(theme: 'light' | 'dark'): string {
  const rules = Object.entries(COLOURS).map(([id, pair]) => rule(`.${colourClass(id)}`, pair, theme));
  return [rule('[class*="c-"]', UNKNOWN, theme), ...rules].join('\n');
}

function rule(selector: string, [light, dark]: readonly [string, string], theme: 'light' | 'dark'): string {
  return `${selector} { --mark: ${theme === 'light' ? light : dark}; }`;
}
