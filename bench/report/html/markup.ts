// Markup as strings, with everything from outside escaped. Tags are closed as in XML, so that a test can check nesting.

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** A coordinate, short. */
export function at(value: number): string {
  return String(Math.round(value * 100) / 100);
}

export function table(head: readonly string[], rows: readonly (readonly string[])[], className: string): string {
  const headCells = head.map((text) => `<th scope="col">${text}</th>`).join('');
  const body = rows
    .map((row) => {
      const [first = '', ...rest] = row;
      return `<tr><th scope="row">${first}</th>${rest.map((text) => `<td>${text}</td>`).join('')}</tr>`;
    })
    .join('\n');
  return `<div class="scroll"><table class="${className}"><thead><tr>${headCells}</tr></thead><tbody>\n${body}\n</tbody></table></div>`;
}
