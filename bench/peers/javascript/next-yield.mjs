/** The next j at which a task of the scheduling workload yields (j % 100 === 0), or its last one. */
export const nextYield = (j) => Math.min(Math.ceil(j / 100) * 100, 999);
