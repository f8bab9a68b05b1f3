import type { RunReport } from '../bench/model.js';

export function computeTable(report: RunReport): string;
export function networkTable(report: RunReport): string;
export function httpTable(report: RunReport): string;
export function partOf(report: RunReport, ids: ReadonlySet<string>): RunReport;
export function fill(text: string, block: string, name?: string): string;
