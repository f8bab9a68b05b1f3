// As much of ELF (64-bit, little-endian) as it takes to see what a shared object asks of a system and shows to it.
import { readFileSync } from 'node:fs';

const SHT_DYNAMIC = 6;
const SHT_DYNSYM = 11;
const SHT_GNU_VERNEED = 0x6ffffffe;
const DT_NEEDED = 1;
const SHN_UNDEF = 0;
const MACHINES: Readonly<Record<number, string>> = { 62: 'x64', 183: 'arm64' };

interface Section {
  readonly name: string;
  readonly type: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
  readonly entryBytes: number;
}

export interface SharedObject {
  readonly arch: string;
  readonly sections: readonly string[];
  /** Libraries that the dynamic linker has to find. */
  readonly needed: readonly string[];
  /** Versions of symbols that those must have, such as `GLIBC_2.17`. */
  readonly versions: readonly string[];
  readonly exported: readonly string[];
  readonly imported: readonly string[];
}

export function readSharedObject(file: string): SharedObject {
  const bytes = readFileSync(file);
  if (bytes.toString('latin1', 0, 4) !== '\x7fELF' || bytes[4] !== 2 || bytes[5] !== 1) {
    throw new Error(`${file} is not a 64-bit little-endian ELF file`);
  }
  const long = (at: number): number => Number(bytes.readBigUInt64LE(at));
  const text = (table: number, at: number): string => {
    const start = table + at;
    return bytes.toString('latin1', start, bytes.indexOf(0, start));
  };

  const start = long(0x28);
  const entryBytes = bytes.readUInt16LE(0x3a);
  const headers = Array.from({ length: bytes.readUInt16LE(0x3c) }, (_, index) => start + index * entryBytes);
  const names = long((headers[bytes.readUInt16LE(0x3e)] as number) + 0x18);
  const sections = headers.map(
    (at): Section => ({
      name: text(names, bytes.readUInt32LE(at)),
      type: bytes.readUInt32LE(at + 4),
      offset: long(at + 0x18),
      size: long(at + 0x20),
      link: bytes.readUInt32LE(at + 0x28),
      entryBytes: long(at + 0x38),
    }),
  );
  const strings = (section: Section): number => (sections[section.link] as Section).offset;
  const entries = (section: Section | undefined): number[] =>
    section === undefined
      ? []
      : Array.from(
          { length: section.size / section.entryBytes },
          (_, index) => section.offset + index * section.entryBytes,
        );
  const find = (type: number): Section | undefined => sections.find((section) => section.type === type);

  const dynamic = find(SHT_DYNAMIC);
  const needed = entries(dynamic)
    .filter((at) => long(at) === DT_NEEDED)
    .map((at) => text(strings(dynamic as Section), long(at + 8)));

  const symbols = find(SHT_DYNSYM);
  const exported: string[] = [];
  const imported: string[] = [];
  for (const at of entries(symbols)) {
    const name = text(strings(symbols as Section), bytes.readUInt32LE(at));
    if (name !== '') (bytes.readUInt16LE(at + 6) === SHN_UNDEF ? imported : exported).push(name);
  }

  const versions: string[] = [];
  const needs = find(SHT_GNU_VERNEED);
  if (needs !== undefined) {
    for (let library = needs.offset; ; library += bytes.readUInt32LE(library + 12)) {
      let version = library + bytes.readUInt32LE(library + 8);
      for (let left = bytes.readUInt16LE(library + 2); left > 0; left--) {
        versions.push(text(strings(needs), bytes.readUInt32LE(version + 8)));
        version += bytes.readUInt32LE(version + 12);
      }
      if (bytes.readUInt32LE(library + 12) === 0) break;
    }
  }
  return {
    arch: MACHINES[bytes.readUInt16LE(0x12)] ?? 'another',
    sections: sections.map((section) => section.name),
    needed,
    versions,
    exported,
    imported,
  };
}
