// Apps that were written for the Fetch standard.
export {
  type FetchApp,
  type FetchContext,
  type FetchEnv,
  type FetchFunction,
  type FetchHandlerOptions,
  type FetchResult,
  fetchHandler,
  serveFetch,
} from './handler.js';
