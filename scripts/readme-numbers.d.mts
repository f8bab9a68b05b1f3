import type { RunReport } from '../bench/model.js';

export function table(report: RunReport): string;
export function fill(text: string, block: string): string;
