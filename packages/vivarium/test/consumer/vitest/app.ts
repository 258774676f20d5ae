/** The application of the projects below: one global pool over `DATABASE_URL`, as applications have it. */
export const app: Readonly<Record<string, string>> = {
  'migrations/001_users.sql': 'create table users (id serial primary key, name text not null unique);\n',
  'app.ts': `
    import pg from 'pg'
    export const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })
    export async function addUser(name: string): Promise<number> {
      return (await pool.query('insert into users (name) values ($1) returning id', [name])).rows[0].id
    }
    export async function names(): Promise<string[]> {
      return (await pool.query('select name from users order by id')).rows.map((row) => row.name)
    }
  `,
  'vivarium.config.ts': `
    import { defineConfig } from 'vivarium'
    export default defineConfig({ postgres: { migrations: './migrations' } })
  `,
  'vitest.config.ts': `
    import { defineConfig } from 'vitest/config'
    import { vivarium } from 'vivarium/vitest'
    export default defineConfig({ plugins: [vivarium()] })
  `,
}
