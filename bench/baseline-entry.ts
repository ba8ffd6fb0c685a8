// The baseline of cold start and idle memory: Fastify, node:sqlite, one table, nothing else.
import { DatabaseSync } from 'node:sqlite';
import fastify from 'fastify';

const [path, port] = process.argv.slice(2) as [string, string];
const db = new DatabaseSync(path);
db.exec('pragma journal_mode = wal; create table if not exists t (id integer primary key, v text)');
const app = fastify();
app.get('/ready', () => ({ ok: db.prepare('select count(*) as n from t').get() }));
await app.listen({ port: Number(port), host: '127.0.0.1' });
process.on('SIGTERM', () => process.exit(0));
