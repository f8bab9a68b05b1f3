// Requests as bytes, in Latin-1.

/** A request of HTTP/1.1. */
export function get(path = '/', ...fields: string[]): string {
  return `GET ${path} HTTP/1.1\r\n${['Host: a', ...fields].map((field) => `${field}\r\n`).join('')}\r\n`;
}

export function post(path: string, body: string, ...fields: string[]): string {
  const all = ['Host: a', `Content-Length: ${Buffer.byteLength(body)}`, ...fields];
  const head = `POST ${path} HTTP/1.1\r\n${all.map((field) => `${field}\r\n`).join('')}\r\n`;
  return head + Buffer.from(body).toString('latin1');
}
