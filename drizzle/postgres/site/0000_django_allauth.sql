-- What `manage.py migrate` of Django 3.2 with django-allauth 0.51 makes on an empty database, names included:
-- the oldest schema still met, which every newer Django and allauth carries on from.
-- No schema is named: everything lands in the first one of search_path.
CREATE TABLE "django_migrations" (
  "id" bigserial NOT NULL PRIMARY KEY,
  "app" varchar(255) NOT NULL,
  "name" varchar(255) NOT NULL,
  "applied" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "django_content_type" (
  "id" serial NOT NULL PRIMARY KEY,
  "app_label" varchar(100) NOT NULL,
  "model" varchar(100) NOT NULL,
  CONSTRAINT "django_content_type_app_label_model_76bd3d3b_uniq" UNIQUE ("app_label", "model")
);
--> statement-breakpoint
CREATE TABLE "auth_permission" (
  "id" serial NOT NULL PRIMARY KEY,
  "name" varchar(255) NOT NULL,
  "content_type_id" integer NOT NULL,
  "codename" varchar(100) NOT NULL,
  CONSTRAINT "auth_permission_content_type_id_codename_01ab375a_uniq" UNIQUE ("content_type_id", "codename"),
  CONSTRAINT "auth_permission_content_type_id_2f476e4b_fk_django_co" FOREIGN KEY ("content_type_id") REFERENCES "django_content_type" ("id") DEFERRABLE INITIALLY DEFERRED
);
--> statement-breakpoint
CREATE INDEX "auth_permission_content_type_id_2f476e4b" ON "auth_permission" ("content_type_id");
--> statement-breakpoint
CREATE TABLE "auth_group" (
  "id" serial NOT NULL PRIMARY KEY,
  "name" varchar(150) NOT NULL UNIQUE
);
--> statement-breakpoint
CREATE INDEX "auth_group_name_a6ea08ec_like" ON "auth_group" ("name" varchar_pattern_ops);
--> statement-breakpoint
CREATE TABLE "auth_group_permissions" (
  "id" bigserial NOT NULL PRIMARY KEY,
  "group_id" integer NOT NULL,
  "permission_id" integer NOT NULL,
  CONSTRAINT "auth_group_permissions_group_id_permission_id_0cd325b0_uniq" UNIQUE ("group_id", "permission_id"),
  CONSTRAINT "auth_group_permissio_permission_id_84c5c92e_fk_auth_perm" FOREIGN KEY ("permission_id") REFERENCES "auth_permission" ("id") DEFERRABLE INITIALLY DEFERRED,
  CONSTRAINT "auth_group_permissions_group_id_b120cbf9_fk_auth_group_id" FOREIGN KEY ("group_id") REFERENCES "auth_group" ("id") DEFERRABLE INITIALLY DEFERRED
);
--> statement-breakpoint
CREATE INDEX "auth_group_permissions_group_id_b120cbf9" ON "auth_group_permissions" ("group_id");
--> statement-breakpoint
CREATE INDEX "auth_group_permissions_permission_id_84c5c92e" ON "auth_group_permissions" ("permission_id");
--> statement-breakpoint
CREATE TABLE "auth_user" (
  "id" serial NOT NULL PRIMARY KEY,
  "password" varchar(128) NOT NULL,
  "last_login" timestamp with time zone NULL,
  "is_superuser" boolean NOT NULL,
  "username" varchar(150) NOT NULL UNIQUE,
  "first_name" varchar(150) NOT NULL,
  "last_name" varchar(150) NOT NULL,
  "email" varchar(254) NOT NULL,
  "is_staff" boolean NOT NULL,
  "is_active" boolean NOT NULL,
  "date_joined" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE INDEX "auth_user_username_6821ab7c_like" ON "auth_user" ("username" varchar_pattern_ops);
--> statement-breakpoint
CREATE TABLE "auth_user_groups" (
  "id" bigserial NOT NULL PRIMARY KEY,
  "user_id" integer NOT NULL,
  "group_id" integer NOT NULL,
  CONSTRAINT "auth_user_groups_user_id_group_id_94350c0c_uniq" UNIQUE ("user_id", "group_id"),
  CONSTRAINT "auth_user_groups_group_id_97559544_fk_auth_group_id" FOREIGN KEY ("group_id") REFERENCES "auth_group" ("id") DEFERRABLE INITIALLY DEFERRED,
  CONSTRAINT "auth_user_groups_user_id_6a12ed8b_fk_auth_user_id" FOREIGN KEY ("user_id") REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED
);
--> statement-breakpoint
CREATE INDEX "auth_user_groups_group_id_97559544" ON "auth_user_groups" ("group_id");
--> statement-breakpoint
CREATE INDEX "auth_user_groups_user_id_6a12ed8b" ON "auth_user_groups" ("user_id");
--> statement-breakpoint
CREATE TABLE "auth_user_user_permissions" (
  "id" bigserial NOT NULL PRIMARY KEY,
  "user_id" integer NOT NULL,
  "permission_id" integer NOT NULL,
  CONSTRAINT "auth_user_user_permissions_user_id_permission_id_14a6b632_uniq" UNIQUE ("user_id", "permission_id"),
  CONSTRAINT "auth_user_user_permi_permission_id_1fbb5f2c_fk_auth_perm" FOREIGN KEY ("permission_id") REFERENCES "auth_permission" ("id") DEFERRABLE INITIALLY DEFERRED,
  CONSTRAINT "auth_user_user_permissions_user_id_a95ead1b_fk_auth_user_id" FOREIGN KEY ("user_id") REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED
);
--> statement-breakpoint
CREATE INDEX "auth_user_user_permissions_permission_id_1fbb5f2c" ON "auth_user_user_permissions" ("permission_id");
--> statement-breakpoint
CREATE INDEX "auth_user_user_permissions_user_id_a95ead1b" ON "auth_user_user_permissions" ("user_id");
--> statement-breakpoint
CREATE TABLE "account_emailaddress" (
  "id" serial NOT NULL PRIMARY KEY,
  "email" varchar(254) NOT NULL UNIQUE,
  "verified" boolean NOT NULL,
  "primary" boolean NOT NULL,
  "user_id" integer NOT NULL,
  CONSTRAINT "account_emailaddress_user_id_2c513194_fk_auth_user_id" FOREIGN KEY ("user_id") REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED
);
--> statement-breakpoint
CREATE INDEX "account_emailaddress_email_03be32b2_like" ON "account_emailaddress" ("email" varchar_pattern_ops);
--> statement-breakpoint
CREATE INDEX "account_emailaddress_user_id_2c513194" ON "account_emailaddress" ("user_id");
--> statement-breakpoint
CREATE TABLE "account_emailconfirmation" (
  "id" serial NOT NULL PRIMARY KEY,
  "created" timestamp with time zone NOT NULL,
  "sent" timestamp with time zone NULL,
  "key" varchar(64) NOT NULL UNIQUE,
  "email_address_id" integer NOT NULL,
  CONSTRAINT "account_emailconfirm_email_address_id_5b7f8c58_fk_account_e" FOREIGN KEY ("email_address_id") REFERENCES "account_emailaddress" ("id") DEFERRABLE INITIALLY DEFERRED
);
--> statement-breakpoint
CREATE INDEX "account_emailconfirmation_email_address_id_5b7f8c58" ON "account_emailconfirmation" ("email_address_id");
--> statement-breakpoint
CREATE INDEX "account_emailconfirmation_key_f43612bd_like" ON "account_emailconfirmation" ("key" varchar_pattern_ops);
--> statement-breakpoint
CREATE TABLE "django_admin_log" (
  "id" serial NOT NULL PRIMARY KEY,
  "action_time" timestamp with time zone NOT NULL,
  "object_id" text NULL,
  "object_repr" varchar(200) NOT NULL,
  "action_flag" smallint NOT NULL,
  "change_message" text NOT NULL,
  "content_type_id" integer NULL,
  "user_id" integer NOT NULL,
  CONSTRAINT "django_admin_log_action_flag_check" CHECK ("action_flag" >= 0),
  CONSTRAINT "django_admin_log_content_type_id_c4bce8eb_fk_django_co" FOREIGN KEY ("content_type_id") REFERENCES "django_content_type" ("id") DEFERRABLE INITIALLY DEFERRED,
  CONSTRAINT "django_admin_log_user_id_c564eba6_fk_auth_user_id" FOREIGN KEY ("user_id") REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED
);
--> statement-breakpoint
CREATE INDEX "django_admin_log_content_type_id_c4bce8eb" ON "django_admin_log" ("content_type_id");
--> statement-breakpoint
CREATE INDEX "django_admin_log_user_id_c564eba6" ON "django_admin_log" ("user_id");
--> statement-breakpoint
CREATE TABLE "django_session" (
  "session_key" varchar(40) NOT NULL PRIMARY KEY,
  "session_data" text NOT NULL,
  "expire_date" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE INDEX "django_session_expire_date_a5c62663" ON "django_session" ("expire_date");
--> statement-breakpoint
CREATE INDEX "django_session_session_key_c0390e0f_like" ON "django_session" ("session_key" varchar_pattern_ops);
--> statement-breakpoint
CREATE TABLE "django_site" (
  "id" serial NOT NULL PRIMARY KEY,
  "domain" varchar(100) NOT NULL,
  "name" varchar(50) NOT NULL,
  CONSTRAINT "django_site_domain_a2e37b91_uniq" UNIQUE ("domain")
);
--> statement-breakpoint
CREATE INDEX "django_site_domain_a2e37b91_like" ON "django_site" ("domain" varchar_pattern_ops);
--> statement-breakpoint
CREATE TABLE "socialaccount_socialapp" (
  "id" serial NOT NULL PRIMARY KEY,
  "provider" varchar(30) NOT NULL,
  "name" varchar(40) NOT NULL,
  "client_id" varchar(191) NOT NULL,
  "secret" varchar(191) NOT NULL,
  "key" varchar(191) NOT NULL
);
--> statement-breakpoint
CREATE TABLE "socialaccount_socialapp_sites" (
  "id" bigserial NOT NULL PRIMARY KEY,
  "socialapp_id" integer NOT NULL,
  "site_id" integer NOT NULL,
  CONSTRAINT "socialaccount_socialapp__socialapp_id_site_id_71a9a768_uniq" UNIQUE ("socialapp_id", "site_id"),
  CONSTRAINT "socialaccount_social_site_id_2579dee5_fk_django_si" FOREIGN KEY ("site_id") REFERENCES "django_site" ("id") DEFERRABLE INITIALLY DEFERRED,
  CONSTRAINT "socialaccount_social_socialapp_id_97fb6e7d_fk_socialacc" FOREIGN KEY ("socialapp_id") REFERENCES "socialaccount_socialapp" ("id") DEFERRABLE INITIALLY DEFERRED
);
--> statement-breakpoint
CREATE INDEX "socialaccount_socialapp_sites_site_id_2579dee5" ON "socialaccount_socialapp_sites" ("site_id");
--> statement-breakpoint
CREATE INDEX "socialaccount_socialapp_sites_socialapp_id_97fb6e7d" ON "socialaccount_socialapp_sites" ("socialapp_id");
--> statement-breakpoint
CREATE TABLE "socialaccount_socialaccount" (
  "id" serial NOT NULL PRIMARY KEY,
  "provider" varchar(30) NOT NULL,
  "uid" varchar(191) NOT NULL,
  "last_login" timestamp with time zone NOT NULL,
  "date_joined" timestamp with time zone NOT NULL,
  "extra_data" text NOT NULL,
  "user_id" integer NOT NULL,
  CONSTRAINT "socialaccount_socialaccount_provider_uid_fc810c6e_uniq" UNIQUE ("provider", "uid"),
  CONSTRAINT "socialaccount_socialaccount_user_id_8146e70c_fk_auth_user_id" FOREIGN KEY ("user_id") REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED
);
--> statement-breakpoint
CREATE INDEX "socialaccount_socialaccount_user_id_8146e70c" ON "socialaccount_socialaccount" ("user_id");
--> statement-breakpoint
CREATE TABLE "socialaccount_socialtoken" (
  "id" serial NOT NULL PRIMARY KEY,
  "token" text NOT NULL,
  "token_secret" text NOT NULL,
  "expires_at" timestamp with time zone NULL,
  "account_id" integer NOT NULL,
  "app_id" integer NOT NULL,
  CONSTRAINT "socialaccount_socialtoken_app_id_account_id_fca4e0ac_uniq" UNIQUE ("app_id", "account_id"),
  CONSTRAINT "socialaccount_social_account_id_951f210e_fk_socialacc" FOREIGN KEY ("account_id") REFERENCES "socialaccount_socialaccount" ("id") DEFERRABLE INITIALLY DEFERRED,
  CONSTRAINT "socialaccount_social_app_id_636a42d7_fk_socialacc" FOREIGN KEY ("app_id") REFERENCES "socialaccount_socialapp" ("id") DEFERRABLE INITIALLY DEFERRED
);
--> statement-breakpoint
CREATE INDEX "socialaccount_socialtoken_account_id_951f210e" ON "socialaccount_socialtoken" ("account_id");
--> statement-breakpoint
CREATE INDEX "socialaccount_socialtoken_app_id_636a42d7" ON "socialaccount_socialtoken" ("app_id");
--> statement-breakpoint
INSERT INTO "django_migrations" ("app", "name", "applied")
SELECT app, name, now()
FROM (VALUES
  ('contenttypes', '0001_initial'),
  ('auth', '0001_initial'),
  ('account', '0001_initial'),
  ('account', '0002_email_max_length'),
  ('admin', '0001_initial'),
  ('admin', '0002_logentry_remove_auto_add'),
  ('admin', '0003_logentry_add_action_flag_choices'),
  ('contenttypes', '0002_remove_content_type_name'),
  ('auth', '0002_alter_permission_name_max_length'),
  ('auth', '0003_alter_user_email_max_length'),
  ('auth', '0004_alter_user_username_opts'),
  ('auth', '0005_alter_user_last_login_null'),
  ('auth', '0006_require_contenttypes_0002'),
  ('auth', '0007_alter_validators_add_error_messages'),
  ('auth', '0008_alter_user_username_max_length'),
  ('auth', '0009_alter_user_last_name_max_length'),
  ('auth', '0010_alter_group_name_max_length'),
  ('auth', '0011_update_proxy_permissions'),
  ('auth', '0012_alter_user_first_name_max_length'),
  ('sessions', '0001_initial'),
  ('sites', '0001_initial'),
  ('sites', '0002_alter_domain_unique'),
  ('socialaccount', '0001_initial'),
  ('socialaccount', '0002_token_max_lengths'),
  ('socialaccount', '0003_extra_data_default_dict')
) AS migration (app, name);
