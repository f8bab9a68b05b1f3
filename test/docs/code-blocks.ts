// The code in README.md, docs/guide/ and the docstrings of lib/, as programs.
//
// A block gets the imports of the public names that it uses, so that it can be short; one in a docstring also those of
// what its own file exports. What it shows is held to it: `console.log(x); // text` must print that text (or what stands
// before the first ", ", " (" or ": " of it), unless the comment begins with "for example"; `await x; // throws a
// TimeoutError` must throw that. In Markdown a comment `<!-- not run: why -->` above a block leaves it out.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

export interface CodeBlock {
  readonly file: string;
  /** Of the first line of code, from 1. */
  readonly line: number;
  readonly language: 'ts' | 'js';
  readonly code: string;
  /** Why it is not run; null if it is. */
  readonly notRun: string | null;
  /** What the file that it stands in exports. */
  readonly own: readonly string[];
}

const DECLARATION = /^export (?:async )?(?:function\*?|class|const) (\w+)/gm;
const MARKDOWN = /^(README\.md|docs\/guide\/[^/]+\.md|docs\/errors\.md)$/;
const ENTRIES = ['', 'sync', 'time', 'task', 'net', 'tls', 'http', 'node', 'buffer', 'test'];

export function findBlocks(root: string): CodeBlock[] {
  const under = (folder: string) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) => `${folder}/${file}`);
  return ['README.md', ...under('docs'), ...under('lib')].sort().flatMap((file) => {
    const isSource = file.startsWith('lib/') && file.endsWith('.ts');
    if (!isSource && !MARKDOWN.test(file)) return [];
    return blocksIn(file, readFileSync(join(root, file), 'utf8'), isSource);
  });
}

function blocksIn(file: string, text: string, isSource: boolean): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  const lines = text.split('\n');
  const bare = (line: string) => (isSource ? line.replace(/^\s*\* ?/, '') : line);
  const own = isSource ? [...text.matchAll(DECLARATION)].map(([, name]) => name as string) : [];
  for (let i = 0; i < lines.length; i++) {
    const language = /^```(ts|js)\s*$/.exec(bare(lines[i] as string))?.[1];
    if (language === undefined || (isSource && !/^\s*\*/.test(lines[i] as string))) continue;
    const code: string[] = [];
    const start = i + 1;
    while (++i < lines.length && !bare(lines[i] as string).startsWith('```')) code.push(bare(lines[i] as string));
    const notRun = /<!-- not run: (.+) -->/.exec(lines[start - 2] ?? '')?.[1] ?? null;
    blocks.push({ file, line: start + 1, language: language as 'ts' | 'js', code: code.join('\n'), notRun, own });
  }
  return blocks;
}

/** The public names and the entry that each is imported from. Of two entries the shorter name wins: `millrace`. */
export function publicNames(root: string): Map<string, string> {
  const names = new Map<string, string>();
  for (const entry of ENTRIES) {
    for (const name of exportsOf(join(root, 'lib', entry, 'index.ts'))) {
      if (!names.has(name)) names.set(name, entry);
    }
  }
  return names;
}

function exportsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  const names = [...text.matchAll(/export (?:type )?\{([^}]*)\}/g)].flatMap(([, list]) =>
    (list as string).split(',').map((item) => item.trim().replace(/^type /, '')),
  );
  for (const [, path] of text.matchAll(/export \* from '(.+)\.js'/g)) {
    names.push(...exportsOf(`${normalize(join(dirname(file), path as string))}.ts`));
  }
  return names.filter((name) => name !== '');
}

/** The block as a module in build/docs/src, which imports the sources of the library. */
export function programOf(block: CodeBlock, names: Map<string, string>): string {
  const code = withoutComments(block.code);
  const paths = new Map([...names].map(([name, entry]) => [name, libraryPath(entry)]));
  for (const name of block.own) paths.set(name, `../../../${block.file.replace(/\.ts$/, '.js')}`);
  const imports = [...paths].flatMap(([name, path]) => {
    const used = new RegExp(`(?<![.\\w])${name}\\b`).test(code);
    const declared = new RegExp(
      `(?:const|let|class|function\\*?)\\s+${name}\\b|import [^;]*\\b${name}\\b[^;]*from`,
    ).test(code);
    return used && !declared ? [`import { ${name} } from '${path}';`] : [];
  });
  const body = block.code
    .split('\n')
    .map((line, i) => checked(line, i))
    .join('\n')
    .replace(/from 'millrace(?:\/(\w+))?'/g, (_, entry) => `from '${libraryPath(entry ?? '')}'`);
  return [
    "import { expectLog as __expectLog, log as __log, throws as __throws } from '../../../test/docs/block-runtime.js';",
    ...imports,
    ...expectations(block.code),
    body,
    'export {};',
    '',
  ].join('\n');
}

function libraryPath(entry: string): string {
  return `../../../lib/${entry === '' ? '' : `${entry}/`}index.js`;
}

function expectations(code: string): string[] {
  return code.split('\n').flatMap((line, i) => {
    const text = /console\.log\(.*\);?.*?\/\/ (.+)$/.exec(line)?.[1];
    if (text === undefined || text.startsWith('for example')) return [];
    return [`__expectLog(${i}, ${JSON.stringify(text)});`];
  });
}

function checked(line: string, i: number): string {
  const thrown = /^(\s*)(.+?);?\s*\/\/ throws (?:an? )?([A-Z]\w+)/.exec(line);
  if (thrown !== null) return `${thrown[1]}await __throws('${thrown[3]}', async () => { ${thrown[2]}; });`;
  return line.replaceAll('console.log(', `__log(${i}, `);
}

function withoutComments(code: string): string {
  return code.replace(/(^|\s)\/\/.*$/gm, '').replace(/\/\*[\s\S]*?\*\//g, '');
}
