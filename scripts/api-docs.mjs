// Writes docs/api.md from the docstrings of lib/: `npm run docs:api`. With --check it only tells whether it is stale.
//
// The compiler writes declarations; what each public entry exports is found in them by their regular form: one
// declaration to a line at the left margin, members indented by four, a docstring right above.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ENTRIES = [
  ['millrace/task', 'task', 'Tasks, scopes, cancellation, combinators. `millrace` exports all of it.'],
  ['millrace/time', 'time', 'Sleeping, intervals, time limits. `millrace` exports all of it.'],
  ['millrace', '', 'Besides the two above: errors, and what Millrace runs on.'],
  ['millrace/sync', 'sync', 'Channels, locks, signals between tasks.'],
  ['millrace/net', 'net', 'TCP.'],
  ['millrace/node', 'node', 'Millrace under libraries that were written for `node:net`.'],
  ['millrace/tls', 'tls', 'TLS over TCP and Unix domain sockets.'],
  ['millrace/http', 'http', 'An HTTP/1.1 server.'],
  ['millrace/buffer', 'buffer', 'Pooled memory.'],
  ['millrace/test', 'test', 'Virtual time.'],
];

const root = fileURLToPath(new URL('..', import.meta.url));
const target = join(root, 'docs', 'api.md');
const folder = join(root, 'build', 'api');

const text = document(declarations());
if (process.argv.includes('--check')) {
  if (!existsSync(target) || readFileSync(target, 'utf8') !== text) {
    console.error('docs/api.md is stale: npm run docs:api');
    process.exitCode = 1;
  }
} else {
  writeFileSync(target, text);
}

/** Compiles the declarations of lib/. @returns their folder. */
function declarations() {
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const options = ['-p', 'tsconfig.build.json', '--emitDeclarationOnly', '--outDir', folder];
  const { stdout } = spawnSync(process.execPath, [compiler, ...options], { cwd: root, encoding: 'utf8' });
  if (!existsSync(join(folder, 'lib/index.d.ts'))) throw new Error(`no declarations were written:\n${stdout}`);
  return join(folder, 'lib');
}

function document(lib) {
  const seen = new Set();
  const parts = [
    '<!-- Written by scripts/api-docs.mjs from the docstrings of lib/: change those, then npm run docs:api. -->',
    '# API',
    'Every public name, by the entry that it is imported from. Times are in milliseconds, sizes in bytes. An `Operation`' +
      ' can be awaited in an async function and waited for with `yield*` in a fiber. The codes are explained in' +
      ' [errors.md](errors.md).',
    ENTRIES.map(([title]) => `[${title}](#${title.replace('/', '')})`).join(' · '),
  ];
  for (const [title, entry, summary] of ENTRIES) {
    parts.push(`## ${title}`, summary);
    const exported = exportsOf(join(lib, entry, 'index.d.ts')).filter(({ name, file }) => !seen.has(`${file} ${name}`));
    for (const { name, file } of exported.sort((a, b) => compare(a.name, b.name))) {
      // Two entries may have different things of one name, each in its own file.
      seen.add(`${file} ${name}`);
      parts.push(...section(name, file));
    }
  }
  return `${parts.join('\n\n')}\n`;
}

function compare(a, b) {
  return a.toLowerCase() < b.toLowerCase() ? -1 : 1;
}

function exportsOf(index) {
  const source = readFileSync(index, 'utf8');
  const at = (path) => join(dirname(index), path.replace(/\.js$/, '.d.ts'));
  const found = [];
  for (const [, list, path] of source.matchAll(/export (?:type )?\{([^}]*)\} from '(.+)'/g)) {
    for (const item of list.split(',')) {
      const name = item.trim().replace(/^type /, '');
      if (name !== '') found.push({ name, file: declaring(name, at(path)) });
    }
  }
  for (const [, path] of source.matchAll(/export \* from '(.+)'/g)) found.push(...exportsOf(at(path)));
  return found;
}

/** The file that declares what `file` exports: another one where that is the index of a folder. */
function declaring(name, file) {
  if (!file.endsWith('/index.d.ts')) return file;
  return exportsOf(file).find((exported) => exported.name === name)?.file ?? file;
}

/** The Markdown of one name: heading, declaration, docstring, members. */
function section(name, file) {
  const lines = readFileSync(file, 'utf8').split('\n');
  const opening = new RegExp(`^export (?:declare )?(?:abstract )?(?:class|interface|function|const|type) ${name}\\b`);
  const starts = lines.flatMap((line, i) => (opening.test(line) ? [i] : []));
  if (starts.length === 0) throw new Error(`${name} is exported, and not declared in ${file}`);
  // A type and a constant may share a name (CLOSED, Closed do not; overloads do): the docstring is above the first.
  const doc = docstringAbove(lines, starts[0]);
  const signatures = [];
  const members = [];
  for (const start of starts) {
    const end = endOf(lines, start);
    const head = lines[start].replace(/^export (declare )?/, '');
    if (/^(abstract )?class /.test(head) && end > start) {
      signatures.push(head.replace(/(?: extends Socket[A-Z]\w+)?(?: implements .*)? \{$/, ''));
      members.push(...membersOf(lines.slice(start + 1, end)), ...inheritedMembers(head, lines, file));
    } else {
      signatures.push([head, ...lines.slice(start + 1, end + 1)].join('\n'));
    }
  }
  return [`### ${name}`, code(signatures.join('\n')), ...markdown(doc), ...members];
}

/** The members of base classes that are there only to tell one class in several files (a Socket's stories). */
function inheritedMembers(head, lines, file) {
  const base = / extends (Socket[A-Z]\w+)/.exec(head)?.[1];
  if (base === undefined) return [];
  const path = lines.map((line) => new RegExp(`^import .*\\b${base}\\b.* from '(.+)';$`).exec(line)?.[1]).find(Boolean);
  const from = join(dirname(file), path.replace(/\.js$/, '.d.ts'));
  const baseLines = readFileSync(from, 'utf8').split('\n');
  const start = baseLines.findIndex((line) => line.startsWith(`export declare abstract class ${base}`));
  const above = baseLines[start].replace(/^export (declare )?/, '');
  return [
    ...membersOf(baseLines.slice(start + 1, endOf(baseLines, start))),
    ...inheritedMembers(above, baseLines, from),
  ];
}

/** The last line of the declaration that begins at `start`: where its brackets are closed. */
function endOf(lines, start) {
  let depth = 0;
  for (let i = start; i < lines.length; i++) {
    const line = lines[i];
    if (/^\s*(\/\*\*|\*)/.test(line)) continue;
    for (const character of line.replaceAll('=>', '')) {
      if ('{[(<'.includes(character)) depth++;
      else if ('}])>'.includes(character)) depth--;
    }
    if (depth === 0 && /[;}]$/.test(line)) return i;
  }
  return lines.length - 1;
}

/** What a class has, one after the other; overloads, and members of the same name without words of their own, together. */
function membersOf(lines) {
  const items = [];
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i];
    if (!/^ {4}[\w[#]/.test(line)) continue;
    let end = i;
    while (!lines[end].endsWith(';')) end++;
    const doc = docstringAbove(lines, i);
    const signature = lines
      .slice(i, end + 1)
      .map((part) => part.slice(4))
      .join('\n');
    i = end;
    if (/^(#private|private |protected |abstract )/.test(signature) || doc?.includes('@internal')) continue;
    // Bookkeeping that the class needs and nobody calls.
    if (doc === null && /^(constructor|get kind|readonly done|readonly reportsErrors)\b/.test(signature)) continue;
    const last = items.at(-1);
    if (last !== undefined && nameOf(last.signature) === nameOf(signature) && doc === null)
      last.signature += `\n${signature}`;
    else items.push({ signature, doc });
  }
  return items.flatMap(({ signature, doc }) => [code(signature), ...markdown(doc)]);
}

function nameOf(signature) {
  return /^(?:(?:get|set|static|readonly|abstract) )*([\w[\].]+)/.exec(signature)?.[1];
}

/** The lines of the docstring above line `at`, without its stars; null if there is none. */
function docstringAbove(lines, at) {
  const end = at - 1;
  if (end < 0 || !lines[end].trimEnd().endsWith('*/')) return null;
  let start = end;
  while (!lines[start].includes('/**')) start--;
  return lines
    .slice(start, end + 1)
    .map((line) => line.replace(/^\s*(\/\*\*|\*\/|\* ?)/, '').replace(/\*\/\s*$/, ''))
    .join('\n')
    .trim();
}

/** A docstring as paragraphs: its prose, its parameters, what it throws, its example. */
function markdown(doc) {
  if (doc === null || doc === '') return [];
  // Short docstrings have a tag in the line of their prose.
  const [prose, ...tags] = splitTags(linked(doc).replaceAll(/ @(throws|returns|param) /g, '\n@$1 '));
  const parts = prose.trim() === '' ? [] : [prose.trim()];
  const of = (tag) =>
    tags.filter((part) => part.startsWith(`@${tag}`)).map((part) => part.slice(tag.length + 1).trim());
  const params = of('param').map((part) => part.replace(/^(\w+)\s+/, '- `$1`: '));
  if (params.length > 0) parts.push(params.join('\n'));
  for (const part of of('returns')) parts.push(`Gives ${part}`);
  for (const part of of('throws')) parts.push(`Throws ${part}`);
  parts.push(...of('example'));
  return parts;
}

function linked(text) {
  return text.replaceAll(/\{@link (\w+)\}/g, '`$1`');
}

/** At each line that begins with a tag, outside of code. */
function splitTags(doc) {
  const parts = [''];
  let inCode = false;
  for (const line of doc.split('\n')) {
    if (line.startsWith('```')) inCode = !inCode;
    const ends =
      !inCode && parts.at(-1).startsWith('@example') && parts.at(-1).trimEnd().endsWith('```') && line !== '```';
    if (!inCode && /^@\w+/.test(line)) parts.push(line);
    // Prose after an example belongs to the whole.
    else if (ends && line.trim() !== '') parts[0] += `\n\n${line}`;
    else parts[parts.length - 1] += `\n${line}`;
  }
  return parts;
}

function code(source) {
  return `\`\`\`typescript\n${linked(source).replace(/^ +/gm, (indent) => ' '.repeat(Math.ceil(indent.length / 2)))}\n\`\`\``;
}
