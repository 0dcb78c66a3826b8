import type { MigrationInterface, QueryRunner } from 'typeorm'

/**
 * The search index: a hint that can be thrown away and made again from log_entries.
 *
 * A row says that entry `index` has a value of that kind, whose SHA-256 begins with `key`; the value itself is not kept. Whoever reads a row looks into the
 * entry. log_search_progress says, for each tree, up to which size the index is complete, and is what followers lock.
 */
export class Search1764000000500 implements MigrationInterface {
  readonly name = 'Search1764000000500'

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      create table log_search (
        log_id bigint not null,
        index bigint not null check (index >= 0),
        kind smallint not null check (kind between 1 and 5),
        key bytea not null check (octet_length(key) = 16),
        primary key (log_id, kind, key, index)
      );

      create table log_search_progress (
        log_id bigint primary key,
        indexed_size bigint not null check (indexed_size >= 0),
        extractor integer not null check (extractor >= 0),
        unread bigint not null default 0 check (unread >= 0)
      );
    `)
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      drop table log_search_progress;
      drop table log_search;
    `)
  }
}
