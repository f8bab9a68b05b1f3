// What the HTTP part of the page has beside the panels of its cells.
import type { RunReport } from '../../model.js';
import { STAGES_NOTE, stagesTable } from '../stages.js';
import { escapeHtml, table } from './markup.js';
import { ratioStrip } from './ratio-strip.js';

/** Every HTTP cell in one picture. */
export function httpOverview(report: RunReport): string {
  const strip = ratioStrip(report, 'http');
  if (strip === '') return '';
  return `<section id="http"><h2>HTTP at a glance</h2><p class="note">How many times the speed of node:http; a static route is held against a fixed reply in C on io_uring, and an app against the same app on Node. The axis is logarithmic; right of the line is faster.</p>${strip}</section>`;
}

export function stagesSection(report: RunReport): string {
  const stages = stagesTable(report);
  if (stages === null) return '';
  const rows = stages.rows.map((row) => row.map(cellOf));
  return `<section id="stages"><h2>Stages</h2><p class="note">20,000, 50,000 and 100,000 requests a second, plaintext over 64 connections with one request in flight and with sixteen. ${escapeHtml(STAGES_NOTE)}</p>
${table(stages.head.map(escapeHtml), rows, 'stages')}</section>`;
}

function cellOf(text: string): string {
  const chip = { reached: 'yes', 'not reached': 'no' }[text];
  return chip === undefined ? escapeHtml(text) : `<span class="chip ${chip}">${text}</span>`;
}
