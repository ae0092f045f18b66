-- A block of the platform reaches what organisations deploy under the name that the blocked model has at the provider. An index
-- finds the deployments of a name on a connection; its first column serves what the index before it served.
--
-- A binary from before this migration uses it in the same way.

CREATE INDEX deployment_upstream ON deployment (connection_id, upstream_name);
DROP INDEX deployment_connection;
