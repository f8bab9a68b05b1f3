// Forms: multipart/form-data as it comes, and whole forms of either encoding.
export { boundaryOf } from './boundary.js';
export { parseUrlEncoded, readFormData } from './form-data.js';
export type { FormLimits } from './limits.js';
export { Multipart } from './multipart.js';
export type { Part } from './part.js';
