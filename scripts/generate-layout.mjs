// Generates lib/internal/layout.ts and lib/internal/http-layout.ts from the constants and enums of the two headers that
// C++ and JavaScript share, so that each border is declared once. With --check nothing is written: a difference is an
// error.
//
// The headers are parsed, not compiled, so that TypeScript can be worked on without a compiler. The parser is strict: a
// declaration that it does not understand is an error, never left out.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const kebab = (name) => name.replace(/(?!^)[A-Z]/g, '-$&').toLowerCase();

/** What is generated: `names` are the enums whose members' texts are wanted as well, by number. */
export const layouts = {
  records: { header: 'native/core/records.h', layout: 'lib/internal/layout.ts', record: true, names: {} },
  http: {
    header: 'native/core/http/events.h',
    layout: 'lib/internal/http-layout.ts',
    record: false,
    names: { HttpMethod: (name) => name.toUpperCase(), HttpFieldName: kebab, HttpReason: kebab },
  },
};

const screaming = (name) =>
  name
    .replace(/([A-Z])([A-Z][a-z])/g, '$1_$2')
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toUpperCase();

const record =
  /struct Record \{\s*uint32_t head;\s*uint32_t handle;\s*union \{\s*struct \{\s*uint32_t a;\s*uint32_t b;\s*\};\s*double value;\s*\};\s*\};/;
const recordFields = [
  ['RECORD_BYTES', 16],
  ['RECORD_WORDS', 4],
  ['RECORD_DOUBLES', 2],
  ['RECORD_HEAD', 0],
  ['RECORD_HANDLE', 1],
  ['RECORD_A', 2],
  ['RECORD_B', 3],
  ['RECORD_VALUE', 1],
];

/** The TypeScript of one of `layouts`, from the text of its header. */
export function generateLayout(header, of = layouts.records) {
  const file = path.posix.basename(of.header);
  const fail = (message) => {
    throw new Error(`${file}: ${message}`);
  };

  const evaluate = (expression, known) => {
    const plain = expression
      .replace(/\bk[A-Z]\w*/g, (name) => known.get(name) ?? fail(`${name} is used before it is declared`))
      .replace(/\b(0x[0-9a-fA-F]+|\d+)u\b/g, '$1');
    if (!/^[\s\d()*+\-<>|&xa-fA-F]+$/.test(plain)) fail(`cannot evaluate "${expression}"`);
    const value = Number(new Function(`"use strict"; return (${plain});`)());
    if (!Number.isSafeInteger(value) || value < 0 || value > 0xffffffff) {
      fail(`"${expression}" is not a 32-bit unsigned integer`);
    }
    return value;
  };

  const membersOf = (enumName, body) =>
    body
      .split(',')
      .map((member) => member.trim())
      .filter((member) => member !== '')
      .map((member) => {
        const match = /^([A-Z]\w*) = (\d+)$/.exec(member) ?? fail(`enum ${enumName}: cannot read "${member}"`);
        return [match[1], Number(match[2])];
      });

  const lines = header.split('\n').map((line) => line.replace(/\s*\/\/.*$/, ''));
  const code = lines.join('\n').replace(/static_assert\([^;]*\);/g, '');
  const constants = new Map();
  const enums = [];
  const plain = [];
  let declarations = 0;
  const declaration = /inline constexpr uint32_t (k[A-Z]\w*) = ([^;]+);|enum class (\w+) : uint(?:8|32)_t \{([^}]*)\}/g;
  for (const [, name, expression, enumName, body] of code.matchAll(declaration)) {
    declarations++;
    if (name === undefined) {
      enums.push([enumName, membersOf(enumName, body)]);
    } else {
      constants.set(name, evaluate(expression, constants));
      plain.push([screaming(name.slice(1)), constants.get(name)]);
    }
  }
  const expected = (code.match(/\bconstexpr\b|\benum\b|#define(?!\s+MILLRACE_\w+_H_\s)/g) ?? []).length;
  if (declarations !== expected) fail(`${expected} declarations, but only ${declarations} are understood`);
  if (of.record && !record.test(code)) fail('struct Record is not the one that this script knows');

  const exported = new Set();
  const once = (name) => {
    if (exported.has(name)) fail(`${name} would be exported twice`);
    exported.add(name);
    return name;
  };
  const block = (entries) => entries.map(([name, value]) => `export const ${once(name)} = ${value};\n`).join('');
  const namesOf = ([enumName, members]) => {
    const textOf = of.names[enumName] ?? fail(`enum ${enumName} is not in the list of layouts`);
    const texts = members.map(([member, value], index) => {
      if (value !== index) fail(`enum ${enumName}: the members of a list of names are numbered from 0 on`);
      return `  '${textOf(member)}',\n`;
    });
    return `export const ${once(`${screaming(enumName)}_NAMES`)}: readonly string[] = [\n${texts.join('')}];\n`;
  };

  const blocks = [
    block(plain),
    ...enums.map(([enumName, members]) =>
      block(members.map(([member, value]) => [`${screaming(enumName)}_${screaming(member)}`, value])),
    ),
    ...enums.filter(([enumName]) => Object.hasOwn(of.names, enumName)).map(namesOf),
  ];
  if (of.record) {
    blocks.push(
      `// A record: words of a Uint32Array from its start, but RECORD_VALUE is in doubles of a Float64Array.\n${block(recordFields)}`,
    );
  }
  return `// Generated by scripts/generate-layout.mjs from ${of.header}: change that and run it again.\n\n${blocks.join('\n')}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = fileURLToPath(new URL('..', import.meta.url));
  for (const of of Object.values(layouts)) {
    const layout = generateLayout(readFileSync(path.join(root, of.header), 'utf8'), of);
    const file = path.join(root, of.layout);
    if (!process.argv.includes('--check')) {
      writeFileSync(file, layout);
      continue;
    }
    let current = '';
    try {
      current = readFileSync(file, 'utf8');
    } catch {}
    if (current !== layout) {
      console.error(`${of.layout} differs from ${of.header}: run node scripts/generate-layout.mjs`);
      process.exitCode = 1;
    }
  }
}
