/** allauth's own tables, with the type and the referenced column of the user key. */
export function allauth(users: string, key: string, type: string): string {
  return `
  create table account_emailaddress (id {key}, email varchar(254) not null, verified {bool} not null,
    "primary" {bool} not null,
    user_id ${type} not null references ${users} (${key}) deferrable initially deferred);
  create index account_emailaddress_user_id on account_emailaddress (user_id);
  create table account_emailconfirmation (id {key}, created {instant} not null, sent {instant},
    key varchar(64) not null unique,
    email_address_id integer not null references account_emailaddress (id) deferrable initially deferred);
  create index account_emailconfirmation_address on account_emailconfirmation (email_address_id);`
}

/** Sites with user models of their own, in the neutral DDL of `ddlFor`. */
export const CUSTOM_SITES = {
  /** A bigint key that is not called id, no username, no date_joined, no is_staff, columns that insist. */
  'custom-member': `
  create table people_member (member_no {bigkey}, password varchar(128) not null, last_login {instant},
    email varchar(254) not null unique, is_active {bool} not null, tenant integer not null,
    locale varchar(8) not null, settings {json} not null);
  ${allauth('people_member', 'member_no', 'bigint')}`,
  /** Nothing that a user model may leave out. */
  'custom-bare': `
  create table login (id {key}, password varchar(128) not null, last_login {instant});
  ${allauth('login', 'id', 'integer')}`,
  /** The address table refers to a unique column that is not the primary key. */
  'custom-handle': `
  create table person (id {key}, handle varchar(40) not null unique, password varchar(128) not null,
    last_login {instant}, username varchar(150) not null, date_joined {instant} not null,
    is_active {bool} not null, is_staff {bool} not null, is_superuser {bool} not null);
  ${allauth('person', 'handle', 'varchar(40)')}`,
} as const
