import type { CompiledQuery, DatabaseConnection, Dialect, Driver } from 'kysely';

/** A dialect whose statements are given clean texts only. */
export function withCleanTexts(dialect: Dialect, clean: (text: string) => string): Dialect {
  return {
    createAdapter: () => dialect.createAdapter(),
    createIntrospector: (db) => dialect.createIntrospector(db),
    createQueryCompiler: () => dialect.createQueryCompiler(),
    createDriver: () => cleaning(dialect.createDriver(), clean),
  };
}

function cleaning(driver: Driver, clean: (text: string) => string): Driver {
  const inner = new WeakMap<DatabaseConnection, DatabaseConnection>();
  const of = (connection: DatabaseConnection): DatabaseConnection => inner.get(connection) ?? connection;
  const cleaned = (query: CompiledQuery): CompiledQuery => ({
    ...query,
    parameters: query.parameters.map((value) => (typeof value === 'string' ? clean(value) : value)),
  });
  return {
    init: () => driver.init(),
    async acquireConnection() {
      const connection = await driver.acquireConnection();
      const wrapped: DatabaseConnection = {
        executeQuery: (query) => connection.executeQuery(cleaned(query)),
        streamQuery: (query, size) => connection.streamQuery(cleaned(query), size),
      };
      inner.set(wrapped, connection);
      return wrapped;
    },
    releaseConnection: (connection) => driver.releaseConnection(of(connection)),
    beginTransaction: (connection, settings) => driver.beginTransaction(of(connection), settings),
    commitTransaction: (connection) => driver.commitTransaction(of(connection)),
    rollbackTransaction: (connection) => driver.rollbackTransaction(of(connection)),
    destroy: () => driver.destroy(),
  };
}
