-- What a provider said of one model is kept again when it differs from what is kept. Before, it was kept when the model's
-- facts, its prices or the time of the question had changed, which no answer of a second connection that serves the model
-- changes.
--
-- A binary from before this migration leaves the value as it is; the next sync of a newer one keeps the answer again.

-- Of the text in `answer` before it was compressed. Empty: none was kept since this migration.
ALTER TABLE deployment ADD COLUMN answer_sha256 text NOT NULL DEFAULT '' CHECK (octet_length(answer_sha256) IN (0, 64));
