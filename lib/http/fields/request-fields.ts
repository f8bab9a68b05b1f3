/**
 * What the parts that decide by a request's fields need of them: `Headers`, `Map` and Millrace's own all have it.
 * Names are given in small letters; several lines of a name come joined by `, `.
 */
export interface RequestFields {
  get(name: string): string | null | undefined;
}
