// Numbers as people read them.

/** 1,234,567 -> `1.23 M`; three significant digits. */
export function formatCount(value: number): string {
  if (!Number.isFinite(value)) return '-';
  const size = Math.abs(value);
  if (size >= 999.5e6) return `${significant(value / 1e9)} G`;
  if (size >= 999.5e3) return `${significant(value / 1e6)} M`;
  if (size >= 999.5) return `${significant(value / 1e3)} k`;
  return significant(value);
}

function significant(value: number): string {
  const size = Math.abs(value);
  if (size >= 100) return value.toFixed(0);
  if (size >= 10) return value.toFixed(1);
  return value.toFixed(2);
}

export function formatRatio(ratio: number): string {
  return Number.isFinite(ratio) ? `${ratio.toFixed(2)}x` : '-';
}

export function formatPercent(share: number): string {
  if (!Number.isFinite(share)) return '-';
  const percent = share * 100;
  return `${Math.abs(percent) < 10 ? percent.toFixed(1) : percent.toFixed(0)} %`;
}

export function formatBytes(bytes: number): string {
  if (!Number.isFinite(bytes)) return '-';
  const mebibytes = bytes / 1_048_576;
  if (mebibytes >= 1_024) return `${(mebibytes / 1_024).toFixed(1)} GiB`;
  return `${mebibytes >= 10 ? mebibytes.toFixed(0) : mebibytes.toFixed(1)} MiB`;
}

export function formatNs(nanoseconds: number): string {
  if (!Number.isFinite(nanoseconds)) return '-';
  if (nanoseconds >= 1e6) return `${significant(nanoseconds / 1e6)} ms`;
  if (nanoseconds >= 1e3) return `${significant(nanoseconds / 1e3)} us`;
  return `${significant(nanoseconds)} ns`;
}

/** A value in the unit of a cell, without the unit. */
export function formatValue(value: number, unit: string): string {
  if (unit === 'ms') return value.toFixed(1);
  if (unit.startsWith('us ')) return formatNs(value * 1_000);
  if (unit.startsWith('times ')) return formatRatio(value);
  if (unit.startsWith('bytes of memory')) return `${(value / 1_024).toFixed(2)} KiB`;
  return formatCount(value);
}
