import type { TestSite } from './sites.ts'

/** Fills a site with so many candidates, each with one address, by two statements. */
export async function addCrowd(site: TestSite, users: number): Promise<void> {
  const numbers = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${users})`
  await site.database.run(`
    INSERT INTO auth_user (id, username, email, password, first_name, last_name, is_active, is_staff, is_superuser, date_joined)
      ${numbers} SELECT i, 'user' || i, '', '', '', '', true, false, false, '2019-01-01 00:00:00' FROM n;
    INSERT INTO account_emailaddress (email, verified, "primary", user_id)
      ${numbers} SELECT 'user' || i || '@example.com', false, true, i FROM n;`)
}
