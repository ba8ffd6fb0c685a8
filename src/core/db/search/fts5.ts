import { sql } from 'kysely';
import type { Db, Store } from '../store.ts';
import { createCodeCache } from './code-cache.ts';
import { signCode, type RowTraits } from './codes.ts';
import { entryTable, MOST_RANKED, passes, type Engine, type Entry } from './engine.ts';
import type { QueryWord } from './words.ts';

/** A word in the title counts as much as this many in the text. */
const TITLE_WEIGHT = 4;

/** FTS5 without a copy of the text: rows are deleted by their number (sqlite.org/fts5.html, 4.4.3). */
export function fts5Ddl(name: string): readonly string[] {
  return [
    `create table ${name}_entry (
      id integer primary key autoincrement, item text not null, scope text not null, kind text not null, expires_at integer,
      text_start integer not null, text_end integer not null, model text, code blob) strict`,
    `create index ${name}_entry_item on ${name}_entry (item)`,
    `create index ${name}_entry_model on ${name}_entry (model)`,
    `create table ${name}_vector (id integer primary key, vector blob not null) strict`,
    `create virtual table ${name}_words using fts5(title, body, content = '', contentless_delete = 1, tokenize = "unicode61 remove_diacritics 2 categories 'L* N* M*'")`,
  ];
}

/** SQLite: words in FTS5, codes scanned in memory, vectors read by their number. */
export function createFts5Engine(store: Store, name: string): Engine {
  const entries = entryTable(name);
  const words = sql.table(`${name}_words`);
  const codes = createCodeCache(store, name);
  const list = (values: readonly (string | number)[]) => sql`(select value from json_each(${JSON.stringify(values)}))`;

  const engine: Engine = {
    texts: list,
    numbers: list,

    async addWords(tx, id, title, body) {
      await sql`insert into ${words} (rowid, title, body) values (${id}, ${title.join(' ')}, ${body.join(' ')})`.execute(tx);
    },

    async removeParts(tx, ids) {
      await sql`delete from ${words} where rowid in ${list(ids)}`.execute(tx);
      codes.delete(ids);
    },

    async frequency(word, most) {
      const { rows } = await sql<{ n: number }>`
        select count(*) as n from (select rowid from ${words} where ${words} match ${`"${word}"`} limit ${most})`.execute(store.db);
      return rows[0]!.n;
    },

    async match(asked, mode, filter, limit) {
      const { rows } = await sql<Entry & { score: number }>`
        with hit as materialized (
          select e.id, e.item, e.text_start, e.text_end, -bm25(${words}, ${sql.lit(TITLE_WEIGHT)}, 1) as score
          from ${words} cross join ${entries} e on e.id = ${words}.rowid
          where ${words} match ${expression(asked, mode)} and ${passes(engine, filter)}
          order by ${words}.rowid desc limit ${MOST_RANKED})
        select id, item, text_start, text_end, max(score) as score from hit group by item order by score desc, item limit ${limit}`.execute(
        store.db,
      );
      return rows;
    },

    async setCode(tx, id, model, unit) {
      const code = signCode(unit);
      const { rows } = await sql<RowTraits>`
        update ${entries} set model = ${model}, code = ${code} where id = ${id}
        returning scope, kind, expires_at as "expiresAt"`.execute(tx);
      const [traits] = rows;
      if (traits) codes.set(id, model, code, traits);
      return traits !== undefined;
    },

    async amendCode(_tx: Db, id, traits) {
      codes.amend(id, traits);
    },

    nearest: (model, planes, _dimensions, filter, count) => codes.nearest(model, planes, filter, count),
  };
  return engine;
}

/** Quoted words, so that nothing in them is an operator. */
function expression(words: readonly QueryWord[], mode: 'all' | 'any'): string {
  return words.map(({ word, isPrefix }) => `"${word}"${isPrefix ? '*' : ''}`).join(mode === 'all' ? ' AND ' : ' OR ');
}
