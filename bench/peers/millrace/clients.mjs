import { pgStream, redisConnector } from 'millrace/node';

/** What makes each client run over our sockets. */
export const options = {
  pg: () => ({ stream: pgStream() }),
  redis: () => ({ Connector: redisConnector() }),
};
