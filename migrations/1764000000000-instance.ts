import type { MigrationInterface, QueryRunner } from 'typeorm'

/** The one row that says who this instance is: its public URL never changes. */
export class Instance1764000000000 implements MigrationInterface {
  readonly name = 'Instance1764000000000'

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      create table instance (
        only_row boolean primary key default true check (only_row),
        public_url text not null check (octet_length(public_url) between 8 and 300),
        created_at timestamptz not null
      )
    `)
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('drop table instance')
  }
}
