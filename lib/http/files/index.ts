// Files as replies: which one, what is answered, and its bytes.
export { type DirectoryOptions, type Resolution, StaticDirectory } from './directory.js';
export { contentTypeOf } from './media-types.js';
export { type FileBody, FilePieces } from './pieces.js';
export { type FilePlan, type FilePlanOptions, type FileSection, planFile } from './plan.js';
export { type DotfilesPolicy, staticSegments } from './resolve.js';
export { FileSource, type FileSourceOptions } from './source.js';
