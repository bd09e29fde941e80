-- How processes archive tasks, for those that were not told; made by the first one that says it.
CREATE TABLE IF NOT EXISTS archive_said (
    namespace INTEGER NOT NULL,
    kept_ms INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    -- When one last said so.
    said_ms INTEGER NOT NULL,
    PRIMARY KEY (namespace, kept_ms, bytes)
) STRICT;

-- When a task was last deleted from a namespace's archive before its time, for its bytes.
CREATE TABLE IF NOT EXISTS archive_forgot (namespace INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL) STRICT;
