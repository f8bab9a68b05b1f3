/**
 * An object of strings by names that strangers choose. Nothing is inherited, so every name is harmless, `__proto__` too: what it
 * inherits from has no properties. As Node's own `querystring` has it: `Object.create(null)` would make a hash table, which takes
 * ten times as long to fill.
 */
export type Dictionary = Record<string, string>;

function Empty(): void {}
Empty.prototype = Object.freeze(Object.create(null));

export const Dictionary = Empty as unknown as new () => Dictionary;
