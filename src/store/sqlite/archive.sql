-- Tasks whose ttl has ended, kept for operators. A file in which none ever was has no such tables; whoever archives
-- the first one makes them.
CREATE TABLE IF NOT EXISTS archive (
    number INTEGER PRIMARY KEY,
    namespace INTEGER NOT NULL,
    id TEXT NOT NULL,
    tool TEXT NOT NULL,
    scope TEXT NOT NULL,
    session TEXT,
    status TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    -- When its ttl ended, and when it is deleted.
    expired_ms INTEGER NOT NULL,
    until_ms INTEGER NOT NULL,
    -- What it costs.
    bytes INTEGER NOT NULL,
    -- The task with its newest events, as JSON.
    record TEXT NOT NULL,
    UNIQUE (namespace, id)
) STRICT;

CREATE INDEX IF NOT EXISTS archive_by_time ON archive (namespace, created_ms, id);
CREATE INDEX IF NOT EXISTS archive_by_end ON archive (namespace, until_ms, number, bytes);

-- How many bytes a namespace's archive has.
CREATE TABLE IF NOT EXISTS archive_size (namespace INTEGER PRIMARY KEY, bytes INTEGER NOT NULL) STRICT;
