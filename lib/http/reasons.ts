// Why the codec refused what came, in words for whoever sent it.
import { HTTP_REASON_NAMES } from '../internal/http-layout.js';

/** The reason's name, as labels have it: `bad-chunk-size`. */
export function reasonName(reason: number): string {
  return HTTP_REASON_NAMES[reason] ?? `reason-${reason}`;
}

export function reasonText(reason: number): string {
  return `Not acceptable as HTTP/1.1: ${reasonName(reason).replaceAll('-', ' ')}`;
}
