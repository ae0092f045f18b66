-- A revision keeps what people had set, so that a rollback gives exactly that back: the row's override, and the columns that
-- only people write. Before, a rollback took all facts from the event, those of the provider included, and no sync
-- changed them afterwards; what no event has (a date of retirement, a licence, metadata) stayed as it was.
--
-- A binary from before this migration writes no value. A rollback to such a revision restores of the fields that a person
-- has set now what the revision shows.

ALTER TABLE model_revision ADD COLUMN set_by_people jsonb CHECK (jsonb_typeof(set_by_people) = 'object');
