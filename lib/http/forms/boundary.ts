import { parseMediaType } from '../fields/index.js';
import { malformedBody, unsupportedType } from '../http-errors.js';

/** 1 to 70 bchars, the last of them no space (RFC 2046, 5.1.1). */
const BOUNDARY = /^[\w'()+,\-./:=? ]{0,69}[\w'()+,\-./:=?]$/;

/**
 * The boundary of a multipart/form-data body.
 * @throws HttpError 415 (`ERR_MILLRACE_HTTP_MEDIA_TYPE`) for another type, 400 (`ERR_MILLRACE_HTTP_BODY`) for none, or a malformed one.
 */
export function boundaryOf(contentType: string | null | undefined): string {
  const type = contentType === null || contentType === undefined ? null : parseMediaType(contentType);
  if (type === null || type.essence !== 'multipart/form-data')
    throw unsupportedType('multipart/form-data', contentType);
  const { boundary } = type.parameters;
  if (boundary === undefined) throw malformedBody('The multipart/form-data has no boundary');
  if (!BOUNDARY.test(boundary)) throw malformedBody('The boundary of the multipart/form-data is malformed');
  return boundary;
}
