export function generateLayout(header: string): string;
