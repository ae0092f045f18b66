-- Grants and members have a version, as everything else that people change: two people who change one at once learn of
-- each other.
--
-- A binary from before this migration changes them without a new version. While it runs, a change that names a version
-- may overwrite one that such a binary has made.

ALTER TABLE model_grant ADD COLUMN version bigint NOT NULL DEFAULT nextval('registry_version');
ALTER TABLE membership ADD COLUMN version bigint NOT NULL DEFAULT nextval('registry_version');
