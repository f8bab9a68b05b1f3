/** Where one end of a connection is. */
export interface SocketAddress {
  /** An IP address; of a Unix socket its path, NUL and its name if that is abstract, '' if it has none. */
  address: string;
  /** 'IPv4', 'IPv6' or 'Unix'. */
  family: string;
  /** 0 for a Unix socket. */
  port: number;
}
