-- Asked for each reminder: has its user been deleted since?
CREATE INDEX "usermgmt_deletion_user_key" ON "usermgmt_deletion" ("user_key", "deleted_at");
