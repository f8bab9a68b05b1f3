// How an operation begins: refused before it touches anything, or tied to its signal.
import { cancelledBy, checkSignal, type SignalOption, withSignal } from '../internal/cancel.js';
import { checkObject } from '../internal/errors.js';
import { Failed, isCancellation, Operation, reportUnlessTaken } from '../internal/operation.js';
import { currentTask } from '../internal/task-context.js';

/** An operation that failed at once; unless somebody waits for it, its error is an unhandled rejection. */
export function refused(error: unknown): Operation<never> {
  const operation = new Failed(error);
  if (!isCancellation(error)) reportUnlessTaken(operation, error);
  return operation;
}

/** Begins an operation with the caller's options. One whose signal is cancelled already has no effect at all. */
export function beginWith<T>(options: SignalOption, begin: () => Operation<T>): Operation<T> {
  checkObject(options, 'options');
  const { signal } = options;
  if (signal === undefined) return begin();
  const reason = cancelledBy(checkSignal(signal, 'options.signal'));
  return reason === undefined ? withSignal(begin(), signal) : refused(reason);
}

/**
 * The refusal of an operation whose effect cannot be undone (a message that is sent) in a task that was aborted; null
 * where it may go on. Others need not ask: what they gave is given back when the task's `await` or `yield*` throws.
 */
export function refusedByTask(): Operation<never> | null {
  const task = currentTask();
  return task?.cancelled ? refused(task.reason) : null;
}

/** An operation that is done as soon as it is begun, and stays done whatever happens to the task that waits for it. */
export class Done extends Operation<void> {
  readonly kind: string;

  constructor(kind: string) {
    super();
    this.kind = kind;
    this.state = 1;
  }

  override get shielded(): boolean {
    return true;
  }

  protected onCancel(): void {}
}
