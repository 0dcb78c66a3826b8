import type { MigrationInterface, QueryRunner } from 'typeorm'

/**
 * Shards of the signature logs, and freezing.
 *
 * `log_shards` says where a tree is served and which key of the key store is its own. A shard without `active_from` is prepared: its key is
 * published and nothing is written to it. A tree that was frozen stays so; the server keeps that as it keeps the other promises of a tree.
 */
export class Shards1764000000400 implements MigrationInterface {
  readonly name = 'Shards1764000000400'

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      alter table logs add column frozen_at timestamptz;
      update logs set frozen_at = appended_at where state = 'frozen';

      create table log_shards (
        origin text primary key references logs (origin),
        public_url text not null check (public_url <> ''),
        key_name text not null unique check (key_name <> ''),
        tree_id bigint unique check (tree_id > 0),
        created_at timestamptz not null,
        active_from timestamptz
      );

      create function logs_stay_frozen() returns trigger language plpgsql as $$
      begin
        if old.state = 'frozen' and (new.state <> old.state or new.size <> old.size or new.frozen_at is distinct from old.frozen_at) then
          raise exception 'log % is frozen', old.id using errcode = 'data_corrupted';
        end if;
        if new.state = 'frozen' then
          new.frozen_at := coalesce(new.frozen_at, now());
        end if;
        return new;
      end $$;
      create trigger logs_stay_frozen before update on logs for each row
        when (old.state = 'frozen' or new.state = 'frozen') execute function logs_stay_frozen();
    `)
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      drop trigger logs_stay_frozen on logs;
      drop function logs_stay_frozen();
      drop table log_shards;
      alter table logs drop column frozen_at;
    `)
  }
}
