// The fields of replies, and the grammar of fields' values.
export { Dictionary } from './dictionary.js';
export {
  CONNECTION,
  CONTENT_ENCODING,
  CONTENT_LENGTH,
  CONTENT_TYPE,
  DATE,
  ETAG,
  KEEP_ALIVE,
  SET_COOKIE,
  TRAILER,
  TRANSFER_ENCODING,
  UPGRADE,
  VARY,
} from './field-name.js';
export { Fields, type FieldsInit, type FieldValue } from './fields.js';
export { listMembers, type Parameters, parseParameters, split, tokenOrQuoted, unquote } from './lists.js';
export { type MediaType, mediaEssence, parseMediaType } from './media-type.js';
export { parseWeighted, type Weighted } from './quality.js';
export type { RequestFields } from './request-fields.js';
export { forbiddenInValue, isToken, shownCharacter, trimSpace } from './syntax.js';
