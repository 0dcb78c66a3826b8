import type { MigrationInterface, QueryRunner } from 'typeorm'

/**
 * The tables of the ledger: one row a tree, its entries, its tiles.
 *
 * No foreign key points at logs: the check would lock and read the tree's row once for each entry, under the lock that already serialises them.
 * No column of an entry is compressed: entries are base64 of keys and signatures; up to 4 kB they stay in the row.
 * leaf_hash is checked by the server: a bit that turned between the hashing process and the table is refused before the commit.
 */
export class Ledger1764000000200 implements MigrationInterface {
  readonly name = 'Ledger1764000000200'

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      create table logs (
        id bigint generated always as identity primary key,
        kind text not null check (kind in ('signature-v2', 'signature-v1', 'certificate')),
        origin text not null unique check (origin <> ''),
        key_sha256 bytea not null check (octet_length(key_sha256) = 32),
        state text not null default 'active' check (state in ('active', 'frozen')),
        size bigint not null check (size >= 1),
        root bytea not null check (octet_length(root) = 32),
        frontier bytea not null check (octet_length(frontier) between 32 and 2016 and octet_length(frontier) % 32 = 0),
        checkpoint text not null check (checkpoint <> ''),
        tree_head_timestamp bigint check (tree_head_timestamp >= 0),
        tree_head_signature bytea check (octet_length(tree_head_signature) between 8 and 1024),
        appended_at timestamptz not null,
        check ((kind = 'certificate') = (tree_head_timestamp is not null)),
        check ((kind = 'certificate') = (tree_head_signature is not null))
      );

      create table log_entries (
        log_id bigint not null,
        index bigint not null check (index >= 0),
        leaf_hash bytea not null check (octet_length(leaf_hash) = 32),
        body bytea not null,
        extra bytea,
        primary key (log_id, index),
        unique (log_id, leaf_hash),
        check (leaf_hash = sha256('\\x00'::bytea || body))
      );
      alter table log_entries alter column leaf_hash set storage plain;
      alter table log_entries alter column body set storage external;
      alter table log_entries alter column extra set storage external;
      alter table log_entries set (toast_tuple_target = 4080);

      create table log_tiles (
        log_id bigint not null,
        level smallint not null check (level between 0 and 63),
        index bigint not null check (index >= 0),
        hashes bytea not null check (octet_length(hashes) between 32 and 8192 and octet_length(hashes) % 32 = 0),
        primary key (log_id, level, index)
      );
      alter table log_tiles alter column hashes set storage external;

      create function logs_only_grow() returns trigger language plpgsql as $$
      begin
        if new.size < old.size then
          raise exception 'log % would shrink from % to %', old.id, old.size, new.size using errcode = 'data_corrupted';
        end if;
        if new.size = old.size and new.root <> old.root then
          raise exception 'log % would get a second root of size %', old.id, old.size using errcode = 'data_corrupted';
        end if;
        if new.id <> old.id or new.kind <> old.kind or new.origin <> old.origin or new.key_sha256 <> old.key_sha256 then
          raise exception 'log % would become another log', old.id using errcode = 'data_corrupted';
        end if;
        if new.tree_head_timestamp < old.tree_head_timestamp then
          raise exception 'log % would sign an earlier time', old.id using errcode = 'data_corrupted';
        end if;
        return new;
      end $$;
      create trigger logs_only_grow before update on logs for each row execute function logs_only_grow();

      create function log_entries_are_final() returns trigger language plpgsql as $$
      begin
        raise exception 'the entries of a log are never changed or deleted' using errcode = 'data_corrupted';
      end $$;
      create function log_tiles_only_grow() returns trigger language plpgsql as $$
      begin
        if substring(new.hashes from 1 for octet_length(old.hashes)) <> old.hashes then
          raise exception 'tile %/% of log % would change', old.level, old.index, old.log_id using errcode = 'data_corrupted';
        end if;
        return new;
      end $$;
      create trigger log_tiles_only_grow before update on log_tiles for each row execute function log_tiles_only_grow();

      create trigger log_entries_are_final before update or delete on log_entries for each row execute function log_entries_are_final();
    `)
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      drop table log_tiles;
      drop table log_entries;
      drop table logs;
      drop function log_entries_are_final();
      drop function log_tiles_only_grow();
      drop function logs_only_grow();
    `)
  }
}
