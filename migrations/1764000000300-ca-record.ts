import type { MigrationInterface, QueryRunner } from 'typeorm'

/**
 * What the certificate authority remembers: pairs of token and key that had their certificate (until the token ends), and whose each key is (for
 * ever; about 200 bytes a key with its index). Digests only: no token, key or name can be read from them.
 */
export class CaRecord1764000000300 implements MigrationInterface {
  readonly name = 'CaRecord1764000000300'

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      create table ca_key_claims (
        token_sha256 bytea not null check (octet_length(token_sha256) = 32),
        spki_sha256 bytea not null check (octet_length(spki_sha256) = 32),
        claim_id bytea not null check (octet_length(claim_id) = 16),
        expires_at timestamptz not null,
        primary key (token_sha256, spki_sha256)
      );
      create index ca_key_claims_expiry on ca_key_claims (expires_at);
      alter table ca_key_claims set (autovacuum_vacuum_scale_factor = 0.05);

      create table ca_certified_keys (
        spki_sha256 bytea primary key check (octet_length(spki_sha256) = 32),
        principal_sha256 bytea not null check (octet_length(principal_sha256) = 32),
        first_at timestamptz not null
      )
    `)
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('drop table ca_certified_keys; drop table ca_key_claims')
  }
}
