import { sql } from 'kysely';
import type { Store } from '../store.ts';
import { PLANE_WEIGHTS, signCode } from './codes.ts';
import { entryTable, MOST_RANKED, passes, type Engine, type Entry } from './engine.ts';
import type { QueryWord } from './words.ts';

/** Positions of a tsvector end here (PostgreSQL manual, 8.11.1). */
const LAST_POSITION = 16_383;

/** Codes are bit strings beside the entry: small, never stored apart as the vectors are, and compared by the server. */
export function tsvectorDdl(name: string): readonly string[] {
  return [
    `create table ${name}_entry (
      id bigint generated always as identity primary key, item text not null, scope text not null, kind text not null, expires_at bigint,
      text_start bigint not null, text_end bigint not null, model text, code varbit, words tsvector)`,
    `create index ${name}_entry_item on ${name}_entry (item)`,
    `create index ${name}_entry_model on ${name}_entry (model)`,
    `create index ${name}_entry_words on ${name}_entry using gin (words)`,
    `create table ${name}_vector (id bigint primary key, vector bytea not null)`,
  ];
}

/** PostgreSQL 14 or newer, with no extension: words in a tsvector of our own making, codes compared by `bit_count`. */
export function createTsvectorEngine(store: Store, name: string): Engine {
  const entries = entryTable(name);

  const engine: Engine = {
    texts: (values) => sql`(select jsonb_array_elements_text(${JSON.stringify(values)}::jsonb))`,
    numbers: (values) => sql`(select jsonb_array_elements_text(${JSON.stringify(values)}::jsonb)::bigint)`,

    async addWords(tx, id, title, body) {
      await sql`update ${entries} set words = ${tsvector(title, body)}::tsvector where id = ${id}`.execute(tx);
    },

    async removeParts() {}, // words and codes went with the rows

    async frequency(word, most) {
      const { rows } = await sql<{ n: number }>`
        select count(*)::int as n from (select 1 from ${entries} where words @@ ${`'${word}'`}::tsquery limit ${most}) known`.execute(
        store.db,
      );
      return rows[0]!.n;
    },

    async match(asked, mode, filter, limit) {
      const { rows } = await sql<Entry & { score: number }>`
        with hit as materialized (
          select e.id, e.item, e.text_start, e.text_end, ts_rank('{0.1, 0.2, 0.25, 1}', e.words, query, 1)::float8 as score
          from ${entries} e, (select ${expression(asked, mode)}::tsquery as query) asked
          where e.words @@ query and ${passes(engine, filter)} order by e.id desc limit ${MOST_RANKED}),
        best as (select distinct on (item) * from hit order by item, score desc)
        select * from best order by score desc, item limit ${limit}`.execute(store.db);
      return rows;
    },

    async setCode(tx, id, model, unit) {
      const code = bitString(signCode(unit), unit.length);
      const { rows } = await sql`update ${entries} set model = ${model}, code = ${code}::varbit where id = ${id} returning id`.execute(tx);
      return rows.length > 0;
    },

    async amendCode() {}, // the filter reads the row itself

    async nearest(model, planes, dimensions, filter, count) {
      const product = sql.join(
        planes.map((plane, at) => sql`${sql.lit(PLANE_WEIGHTS[at])} * bit_count(code & ${bitString(plane, dimensions)}::varbit)`),
        sql` + `,
      );
      const { rows } = await sql<{ id: number }>`
        select id from (
          select e.id, e.code from ${entries} e
          where e.model = ${model} and length(e.code) = ${dimensions} and ${passes(engine, filter)} offset 0) near
        order by ${product} desc, id limit ${count}`.execute(store.db);
      return rows.map(({ id }) => Number(id));
    },
  };
  return engine;
}

/** `'word':1A 'other':2`: titles weigh A. Words hold letters, digits and marks only, so quotes need no escape. */
function tsvector(title: readonly string[], body: readonly string[]): string {
  const mark = (word: string, index: number, weight: string): string => `'${word}':${Math.min(index + 1, LAST_POSITION)}${weight}`;
  return [...title.map((word, index) => mark(word, index, 'A')), ...body.map((word, index) => mark(word, title.length + index, ''))].join(
    ' ',
  );
}

function expression(words: readonly QueryWord[], mode: 'all' | 'any'): string {
  return words.map(({ word, isPrefix }) => `'${word}'${isPrefix ? ':*' : ''}`).join(mode === 'all' ? ' & ' : ' | ');
}

function bitString(code: Uint8Array, bits: number): string {
  let text = '';
  for (let i = 0; i < bits; i += 1) text += (code[i >> 3]! >> (i & 7)) & 1;
  return text;
}
