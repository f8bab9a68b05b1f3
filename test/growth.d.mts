export interface Growth {
  heapBytes: number;
  residentBytes: number;
}

export function collect(): Promise<void>;
export function leastGrowth(rounds: number, round: () => Promise<unknown>): Promise<Growth>;
