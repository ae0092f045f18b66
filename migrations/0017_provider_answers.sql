-- What a provider said of one model, as it came: its entry in the list, and its answer about the model where it was asked
-- for one. It belongs to the deployment, because each connection may say something else.
--
-- A binary from before this migration neither writes nor reads it.

-- gzip of {"list": …, "details": …}. Nothing: it was not told since this migration, or it is too large to be kept.
ALTER TABLE deployment ADD COLUMN answer bytea CHECK (octet_length(answer) <= 1048576);
ALTER TABLE deployment ADD COLUMN answered_at timestamptz;

-- Lists were kept and not read; who sees a connection's row sees them, by the policy of 0005.
GRANT SELECT ON provider_snapshot TO tokenrail_app;
