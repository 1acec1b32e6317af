"""The store's tables and the longer of its statements."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    org TEXT NOT NULL,
    collection TEXT NOT NULL,
    parent TEXT NOT NULL,
    name TEXT,
    status TEXT NOT NULL,
    haystack TEXT NOT NULL,
    body TEXT NOT NULL,
    agent_id TEXT GENERATED ALWAYS AS (json_extract(body, '$.agent_id')) VIRTUAL,
    harness_id TEXT GENERATED ALWAYS AS (json_extract(body, '$.harness_id')) VIRTUAL,
    agent_identity_id TEXT GENERATED ALWAYS AS (json_extract(body, '$.agent_identity_id')) VIRTUAL
);
CREATE INDEX IF NOT EXISTS listed ON documents (org, collection, seq, status);
CREATE INDEX IF NOT EXISTS children ON documents (parent, collection, seq) WHERE parent <> '';
CREATE UNIQUE INDEX IF NOT EXISTS names ON documents (org, collection, name)
    WHERE name IS NOT NULL AND status <> 'deleted';
CREATE INDEX IF NOT EXISTS by_agent ON documents (org, agent_id, status) WHERE collection = 'apps';
CREATE INDEX IF NOT EXISTS by_harness ON documents (org, harness_id, status) WHERE collection = 'apps';
CREATE INDEX IF NOT EXISTS by_identity ON documents (org, agent_identity_id) WHERE collection = 'apps';
CREATE INDEX IF NOT EXISTS sessions_by_agent ON documents (org, agent_id, status) WHERE collection = 'sessions';
CREATE INDEX IF NOT EXISTS sessions_by_harness ON documents (org, harness_id, status) WHERE collection = 'sessions';
CREATE TABLE IF NOT EXISTS changes (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    org TEXT NOT NULL,
    entity TEXT NOT NULL,
    method TEXT NOT NULL,
    reason TEXT,
    created_at TEXT NOT NULL
);
"""

COLUMNS = "SELECT seq, id, org, collection, parent, name, haystack, body FROM documents "
TOKENS = 8
PRESENT = "WHERE org = ? AND collection = ? AND status <> 'deleted' AND (? OR status <> 'archived')"
LIST = f"{COLUMNS} {PRESENT} ORDER BY seq DESC LIMIT ?"
PLACES = f"SELECT seq FROM documents {PRESENT} ORDER BY seq DESC"  # noqa: S608 - made of constants, here and below
BETWEEN = f"{COLUMNS} {PRESENT} AND seq BETWEEN ? AND ? ORDER BY seq DESC"
MATCHING = PRESENT + " AND instr(haystack, ?) > 0" * TOKENS
COUNT = f"SELECT count(*) FROM documents {PRESENT}"  # noqa: S608
COUNT_MATCHING = f"SELECT count(*) FROM documents {MATCHING}"  # noqa: S608
SEARCH = COLUMNS + MATCHING + " ORDER BY seq DESC LIMIT ? OFFSET ?"
WHO = "WHERE collection = 'apps' AND org = ? AND"
APPS_BY = {
    "agent_id": f"{COLUMNS} INDEXED BY by_agent {WHO} agent_id = ? ORDER BY seq",
    "harness_id": f"{COLUMNS} INDEXED BY by_harness {WHO} harness_id = ? ORDER BY seq",
    "agent_identity_id": f"{COLUMNS} INDEXED BY by_identity {WHO} agent_identity_id = ? ORDER BY seq",
}
USERS = {
    (collection, field): f"SELECT {field}, count(*) FROM documents WHERE collection = '{collection}' AND org = ? "  # noqa: S608
    f"AND {field} IS NOT NULL AND status NOT IN ('archived', 'deleted') GROUP BY {field}"
    for collection in ("apps", "sessions")
    for field in ("agent_id", "harness_id")
}
