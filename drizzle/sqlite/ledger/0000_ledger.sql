-- The ledger. It names users by key and by the SHA-256 of their address, never by a foreign key:
-- the tool's own tables must not count as dependents of the user table.
CREATE TABLE "usermgmt_run" (
  "id" varchar(36) NOT NULL PRIMARY KEY,
  "command" varchar(40) NOT NULL,
  "options" text NOT NULL,
  "actor" varchar(255) NOT NULL,
  "host" varchar(255) NOT NULL,
  "version" varchar(40) NOT NULL,
  "started_at" datetime NOT NULL,
  "ended_at" datetime NULL,
  "outcome" varchar(20) NULL,
  "counts" text NULL,
  "archive" text NULL
);
--> statement-breakpoint
CREATE TABLE "usermgmt_deletion" (
  "run_id" varchar(36) NOT NULL REFERENCES "usermgmt_run" ("id") ON DELETE CASCADE,
  "user_key" varchar(255) NOT NULL,
  "email_sha256" char(64) NULL,
  "deleted_at" datetime NOT NULL,
  PRIMARY KEY ("run_id", "user_key")
);
--> statement-breakpoint
CREATE TABLE "usermgmt_reminder" (
  "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  "run_id" varchar(36) NOT NULL REFERENCES "usermgmt_run" ("id"),
  "user_key" varchar(255) NOT NULL,
  "email_sha256" char(64) NOT NULL,
  "address_key" varchar(255) NOT NULL,
  "status" varchar(10) NOT NULL,
  "reply" text NULL,
  "deletion_at" datetime NULL,
  "created_at" datetime NOT NULL,
  "finished_at" datetime NULL,
  "attempts" integer NOT NULL DEFAULT 0,
  CONSTRAINT "usermgmt_reminder_status_check" CHECK ("status" IN ('sending', 'sent', 'bounced', 'failed'))
);
--> statement-breakpoint
CREATE INDEX "usermgmt_reminder_run_id" ON "usermgmt_reminder" ("run_id");
--> statement-breakpoint
CREATE INDEX "usermgmt_reminder_user_key_status" ON "usermgmt_reminder" ("user_key", "status");
--> statement-breakpoint
CREATE INDEX "usermgmt_reminder_email_sha256" ON "usermgmt_reminder" ("email_sha256");
--> statement-breakpoint
CREATE TABLE "usermgmt_lock" (
  "name" varchar(40) NOT NULL PRIMARY KEY,
  "run_id" varchar(36) NOT NULL,
  "holder" text NOT NULL,
  "acquired_at" datetime NOT NULL,
  "heartbeat_at" datetime NOT NULL
);
