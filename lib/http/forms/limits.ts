import { checkInteger, checkObject } from '../../internal/errors.js';

/** What a form may cost. Above: HttpError 413, `ERR_MILLRACE_HTTP_BODY_LIMIT`. */
export interface FormLimits {
  /** Parts, or pairs of an url-encoded form. 1 to 2^31 - 1, default 1,000. */
  readonly parts?: number;
  /** Bytes of one part's fields. 64 to 2^31 - 1, default 16 KiB. */
  readonly headBytes?: number;
  /** Bytes of a part that is no file. 0 to 2^53 - 1, default 1 MiB. */
  readonly fieldBytes?: number;
  /** Bytes of one file. 0 to 2^53 - 1, default 256 MiB. */
  readonly fileBytes?: number;
  /** Bytes of the whole body. 0 to 2^53 - 1, default 1 GiB. */
  readonly totalBytes?: number;
}

const INT_MAX = 2 ** 31 - 1;
const { MAX_SAFE_INTEGER } = Number;

/** @throws TypeError (`ERR_INVALID_ARG_TYPE`), RangeError (`ERR_OUT_OF_RANGE`) naming the limit. */
export function formLimitsOf(given: FormLimits): Required<FormLimits> {
  checkObject(given, 'limits');
  const limits = {
    parts: given.parts ?? 1000,
    headBytes: given.headBytes ?? 16 * 1024,
    fieldBytes: given.fieldBytes ?? 1024 * 1024,
    fileBytes: given.fileBytes ?? 256 * 1024 * 1024,
    totalBytes: given.totalBytes ?? 1024 ** 3,
  };
  checkInteger(limits.parts, 'limits.parts', 1, INT_MAX);
  checkInteger(limits.headBytes, 'limits.headBytes', 64, INT_MAX);
  checkInteger(limits.fieldBytes, 'limits.fieldBytes', 0, MAX_SAFE_INTEGER);
  checkInteger(limits.fileBytes, 'limits.fileBytes', 0, MAX_SAFE_INTEGER);
  checkInteger(limits.totalBytes, 'limits.totalBytes', 0, MAX_SAFE_INTEGER);
  return limits;
}
