export interface Layout {
  readonly header: string;
  readonly layout: string;
  readonly record: boolean;
  readonly names: Readonly<Record<string, (member: string) => string>>;
}
export const layouts: { readonly records: Layout; readonly http: Layout };
export function generateLayout(header: string, of?: Layout): string;
