-- A view may be what "auto" selects from in its scope; views are published for routers.
--
-- A binary from before this migration keeps the value as it is when it changes the view, and neither publishes nor reads
-- views on the topic.

ALTER TABLE model_view ADD COLUMN for_auto boolean NOT NULL DEFAULT false;
CREATE UNIQUE INDEX model_view_for_auto ON model_view (org_id, owner_user_id) NULLS NOT DISTINCT WHERE for_auto;
