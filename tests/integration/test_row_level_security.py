"""Row-level security by itself: what the role of the registry API sees and writes as another organisation and as another user, with
no filter of a program before it. The tables are those that the catalogue of the database lists, so a new one is looked at too."""

import json

import psycopg2
import psycopg2.errors
import pytest

ID = "00000000-0000-7000-8000-00000000000"
# A row in each table, of the organisation acme or of its user anna. beta owns nothing.
ROWS = f"""
INSERT INTO organization (id, slug) VALUES ('acme', 'acme'), ('beta', 'beta');
INSERT INTO principal (id, issuer, subject) VALUES ('{ID}1', 'idp', 'anna');
INSERT INTO membership (org_id, principal_id, role) VALUES ('acme', '{ID}1', 'member');
INSERT INTO ended_role (issuer, subject, org_id, generation) VALUES ('idp', 'anna', 'acme', 1);
INSERT INTO ended_session (id, issuer, subject, expires_at) VALUES ('session-of-anna-1', 'idp', 'anna', now() + interval '1 day');
INSERT INTO session_generation (issuer, subject, generation) VALUES ('idp', 'anna', 1);
INSERT INTO api_token (id, org_id, name, sha256, role, created_by)
  VALUES ('token-0001', 'acme', 'ci', decode(repeat('ab', 32), 'hex'), 'viewer', 'anna');
INSERT INTO idempotency (org_id, principal, key, request_sha256) VALUES ('acme', 'anna', 'k', repeat('a', 64));
INSERT INTO audit_log (org_id, actor, action, target_type) VALUES ('acme', 'anna', 'model.changed', 'model');
INSERT INTO outbox (id, aggregatetype, aggregateid, type, payload) VALUES ('{ID}1', 'model', 'acme/_/openai/m', 't', '{{}}');
"""
ROWS_OF_OWNERS = """
INSERT INTO credential (id, org_id, owner_user_id, provider, label, sealed, key_id, fingerprint)
  VALUES ({id}, 'acme', {owner}, 'openai', 'key', 'c2VhbGVk', 'k1', 'f00');
INSERT INTO connection (id, org_id, owner_user_id, provider, name, base_url, auth_type, credential_id)
  VALUES ({id}, 'acme', {owner}, 'openai', 'own', 'https://api.openai.com/v1', 'bearer', {id});
INSERT INTO model (id, org_id, owner_user_id, provider, model_name, slug, enabled)
  VALUES ({id}, 'acme', {owner}, 'openai', 'm', 'openai/m', true);
INSERT INTO deployment (id, model_id, connection_id, upstream_name) VALUES ({id}, {id}, {id}, 'm');
INSERT INTO model_default (id, org_id, owner_user_id, model_id) VALUES ({id}, 'acme', {owner}, {id});
INSERT INTO model_revision (model_id, version, snapshot, cause, actor, event_id) VALUES ({id}, 1, '{{}}', 'api', 'a', {id});
INSERT INTO model_alias (id, org_id, owner_user_id, alias) VALUES ({id}, 'acme', {owner}, 'best');
INSERT INTO model_alias_target (alias_id, model_id) VALUES ({id}, {id});
INSERT INTO model_view (id, org_id, owner_user_id, name) VALUES ({id}, 'acme', {owner}, 'house');
INSERT INTO model_grant (id, org_id, subject_kind, object_kind, object_id, created_by)
  VALUES ({id}, 'acme', 'org', 'model', {id}, 'a');
INSERT INTO price (id, model_id, dimension, amount, source, created_by) VALUES ({id}, {id}, 'input', 1, 'override', 'a');
INSERT INTO quality_score (model_id, metric, source, score) VALUES ({id}, 'overall', 'us', 0.5);
INSERT INTO dependency (model_id, org_id, ref_type, ref_id) VALUES ({id}, 'acme', 'profile', 'p');
INSERT INTO connection_test (id, connection_id, org_id, outcome, tested_by) VALUES ({id}, {id}, 'acme', 'ok', 'a');
INSERT INTO sync_request (id, connection_id, requested_by) VALUES ({id}, {id}, 'a');
INSERT INTO sync_run (id, connection_id, request_id, trigger, status, started_at)
  VALUES ({id}, {id}, {id}, 'manual', 'ok', now());
INSERT INTO provider_snapshot (connection_id, sha256, body) VALUES ({id}, decode(repeat('cd', 32), 'hex'), 'x');
INSERT INTO held_change (id, connection_id, model_id, sync_run_id, reason) VALUES ({id}, {id}, {id}, {id}, 'odd');
INSERT INTO connection_lease (connection_id) VALUES ({id});
"""
# The condition of acme's rows in tables in which neither a column nor a reference names the organisation.
WHOSE = {"principal": "subject = 'anna'", "ended_session": "subject = 'anna'", "session_generation": "subject = 'anna'",
         "outbox": "starts_with(aggregateid, 'acme/')"}
# Everybody's, or of the programs themselves.
SHARED = {"provider", "schema_migration", "registry_lease", "catalog_entry", "catalog_import"}
# An organisation makes its members known, and each change adds events that only the relay reads.
ADDED_BY_EVERYONE = {"principal", "outbox"}
NO_OWNER, ANNA = "NULL", "'anna'"


class Tables:
    """The tables of the database, and in a transaction that is rolled back at the end a row in each."""

    def __init__(self, cursor):
        self.cursor = cursor
        cursor.execute("SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace")
        self.names = sorted(name for name, in cursor.fetchall())
        cursor.execute("SELECT attrelid::regclass::text, attname, attidentity <> '' OR attgenerated <> '', has_column_privilege("
                       "'tokenrail_app', attrelid, attnum, 'UPDATE') FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped "
                       "AND attrelid::regclass::text = ANY (%s) ORDER BY attrelid, attnum", (self.names,))
        self.columns = {name: [] for name in self.names}
        self.updatable = {name: [] for name in self.names}
        for table, column, generated, may_update in cursor.fetchall():
            if not generated:
                self.columns[table].append(column)
                if may_update:
                    self.updatable[table].append(column)
        cursor.execute("SELECT c.conrelid::regclass::text, a.attname, c.confrelid::regclass::text, r.attname FROM pg_constraint c "
                       "JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1] JOIN pg_attribute r ON "
                       "r.attrelid = c.confrelid AND r.attnum = c.confkey[1] WHERE c.contype = 'f'")
        self.references = cursor.fetchall()

    def fill(self, *owners):
        """Rows of acme, and those that may have an owner once for each of these."""
        self.cursor.execute(ROWS)
        for number, owner in enumerate(owners):
            self.cursor.execute(ROWS_OF_OWNERS.format(id=f"'{ID}{number}'", owner=owner))
        return self

    def whose(self, table, column, value):
        """The condition of rows whose `column`, or that of what they refer to, is `value`. Nothing: there is no such column."""
        if column == "org_id" and table in WHOSE:
            return WHOSE[table]
        if column == "org_id" and table == "organization":
            return f"id = '{value}'"
        if column in self.columns[table]:
            return f"{column} = '{value}'"
        found = []
        for child, key, parent, referred in self.references:
            if child == table and parent not in (child, "organization"):
                inner = self.whose(parent, column, value)
                if inner:
                    found.append(f"{key} IN (SELECT {referred} FROM {parent} WHERE {inner})")
        return " OR ".join(found)

    def all_of(self, column, value):
        """{table: condition} of each table that has such rows."""
        conditions = {table: self.whose(table, column, value) for table in self.names}
        return {table: condition for table, condition in conditions.items() if condition}

    def as_owner(self, statement, arguments=None):
        self.cursor.execute("RESET ROLE")
        self.cursor.execute(statement, arguments)
        return self.cursor.fetchall()

    def as_caller(self, caller, statement, arguments=None):
        """What the application gets with the organisation and the user of a caller: rows, or nothing where PostgreSQL refuses."""
        org, user = caller
        self.cursor.execute("SAVEPOINT before")
        self.cursor.execute("SELECT set_config('tokenrail.org_id', %s, true), set_config('tokenrail.user_id', %s, true), "
                            "set_config('role', 'tokenrail_app', true)", (org, user))
        try:
            self.cursor.execute(statement, arguments)
            return self.cursor.fetchall() if self.cursor.description else self.cursor.rowcount
        except psycopg2.errors.InsufficientPrivilege:
            self.cursor.execute("ROLLBACK TO SAVEPOINT before")
            return None

    def places(self, table, condition):
        """Of the rows in the table's file: an update gives a row another one."""
        return self.as_owner(f"SELECT ctid::text, xmin::text, to_jsonb(t) FROM {table} t WHERE {condition} ORDER BY 1")


@pytest.fixture
def tables(make_stack):
    connection = psycopg2.connect(make_stack().database)
    yield Tables(connection.cursor())
    connection.rollback()
    connection.close()


def check_wall(tables, caller, rows, added_by_everyone=()):
    """That the caller neither sees nor changes any of the rows, {table: condition}, nor adds one like them."""
    for table, condition in rows.items():
        kept = tables.places(table, condition)
        assert kept, f"the test has no row of {table}: add one to ROWS or ROWS_OF_OWNERS"
        # A condition may have a subquery, which the wall would narrow too. So rows are compared by their places.
        seen = tables.as_caller(caller, f"SELECT ctid::text FROM {table}") or []
        assert not {place for place, in seen} & {row[0] for row in kept}, f"{caller} sees rows of {table}"
        same = ", ".join(f"{column} = {column}" for column in tables.updatable[table] or tables.columns[table][:1])
        for statement in (f"UPDATE {table} SET {same}", f"DELETE FROM {table}"):
            tables.cursor.execute("SAVEPOINT attack")
            tables.as_caller(caller, statement)
            assert tables.places(table, condition) == kept, f"{caller}: {statement}"
            tables.cursor.execute("ROLLBACK TO SAVEPOINT attack")
        if table in added_by_everyone:
            continue
        columns = ", ".join(tables.columns[table])
        for row in kept:
            added = tables.as_caller(caller, f"INSERT INTO {table} ({columns}) SELECT {columns} FROM jsonb_populate_record("
                                             f"NULL::{table}, %s)", (json.dumps(row[2]),))
            assert added is None, f"{caller} adds a row to {table}"


def test_every_table_is_known(tables):
    assert set(tables.names) == set(tables.all_of("org_id", "acme")) | SHARED


def test_the_database_alone_keeps_organisations_apart_in_every_table(tables):
    tables.fill(NO_OWNER, ANNA)
    for user in ("", "anna", "eve"):
        rows = tables.all_of("org_id", "acme")
        # Sessions are a person's, whichever organisation they are used in.
        if user == "anna":
            rows = {table: condition for table, condition in rows.items()
                    if table not in ("ended_session", "session_generation", "ended_role")}
        check_wall(tables, ("beta", user), rows, ADDED_BY_EVERYONE)
    check_wall(tables, ("", ""), tables.all_of("org_id", "acme"), ADDED_BY_EVERYONE)


def test_the_database_alone_keeps_users_apart_in_every_table(tables):  # S2.34
    # Without rows of all of acme, which bob may change.
    rows = tables.fill(ANNA).all_of("owner_user_id", "anna")
    assert {"model", "connection", "credential", "deployment"} <= set(rows)
    for user in ("", "bob"):
        check_wall(tables, ("acme", user), rows)


def test_organisations_change_nothing_of_what_is_shared(tables):
    tables.fill(NO_OWNER)
    for table in sorted(SHARED):
        kept = tables.places(table, "true")
        same = ", ".join(f"{column} = {column}" for column in tables.updatable[table] or tables.columns[table][:1])
        for statement in (f"UPDATE {table} SET {same}", f"DELETE FROM {table}"):
            assert not tables.as_caller(("acme", "anna"), statement) and tables.places(table, "true") == kept, statement


def test_owners_see_and_change_their_rows(tables):
    """The walls above hide what is there, and not everything."""
    tables.fill(NO_OWNER, ANNA)
    for caller, rows in ((("acme", ""), tables.all_of("org_id", "acme")), (("acme", "anna"), tables.all_of("owner_user_id", "anna"))):
        for table in set(rows) - {"outbox", "connection_lease", "ended_session", "session_generation", "ended_role"}:
            assert tables.as_caller(caller, f"SELECT 1 FROM {table} LIMIT 1") == [(1,)], f"{caller}: {table}"
        assert tables.as_caller(caller, "UPDATE model SET description = 'x' WHERE org_id = 'acme'") > 0
