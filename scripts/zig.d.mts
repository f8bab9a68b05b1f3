/** The path of zig; installs it on first use. @throws Error that says what to install */
export function findZig(): string;
/** The Python of the virtual environment that zig is in; installs both on first use. */
export function findPython(): string;
