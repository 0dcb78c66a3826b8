import type { MigrationInterface, QueryRunner } from 'typeorm'

/** What the demonstration issuer remembers for some minutes: interactions, sessions, codes. */
export class DemoIssuer1764000000100 implements MigrationInterface {
  readonly name = 'DemoIssuer1764000000100'

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      create table demo_issuer_records (
        kind text not null,
        id text not null,
        payload jsonb not null,
        grant_id text,
        user_code text,
        uid text,
        consumed_at timestamptz,
        expires_at timestamptz not null,
        primary key (kind, id)
      )
    `)
    await queryRunner.query('create index demo_issuer_records_grant on demo_issuer_records (grant_id)')
    await queryRunner.query('create index demo_issuer_records_expiry on demo_issuer_records (expires_at)')
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('drop table demo_issuer_records')
  }
}
