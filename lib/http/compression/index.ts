// Compression of replies.
export { Compressor, compressPieces, compressWhole } from './compressor.js';
export { addVary, type Compressible, decideCompression } from './decide.js';
export { type CompressionOptions, compressionOptionsOf, isCompressible } from './options.js';
