-- Layout 1. `record` is the task as JSON; the other columns are what queries need of it.
CREATE TABLE namespaces (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    -- How often what `tools` says has changed.
    tool_changes INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE tasks (
    namespace INTEGER NOT NULL,
    id TEXT NOT NULL,
    tool TEXT NOT NULL,
    scope TEXT NOT NULL,
    session TEXT,
    hidden INTEGER NOT NULL,
    status TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER,
    -- The earliest deadline of its open questions.
    deadline_ms INTEGER,
    -- Its place in the ready queue: the sequence of the event that queued it.
    queued INTEGER,
    -- When a task that was given back with a delay is queued again.
    resume_ms INTEGER,
    worker TEXT,
    -- How many attempts ended without an outcome and count.
    failures INTEGER NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (namespace, id)
) STRICT;

-- One index for each way to page through tasks; `hidden` comes first so that a page of tasks that are
-- shown never walks over foreground calls.
CREATE INDEX tasks_by_time ON tasks (namespace, hidden, created_ms, id);
CREATE INDEX tasks_by_scope ON tasks (namespace, hidden, scope, created_ms, id);
CREATE INDEX tasks_by_scope_and_status ON tasks (namespace, hidden, scope, status, created_ms, id);
CREATE INDEX tasks_by_session ON tasks (namespace, hidden, session, created_ms, id) WHERE session IS NOT NULL;
CREATE INDEX tasks_by_status ON tasks (namespace, hidden, status, created_ms, id);
CREATE INDEX tasks_by_tool ON tasks (namespace, hidden, tool, created_ms, id);
CREATE INDEX tasks_ready ON tasks (namespace, tool, queued) WHERE queued IS NOT NULL;
CREATE INDEX tasks_by_worker ON tasks (namespace, worker) WHERE worker IS NOT NULL;
CREATE INDEX tasks_by_deadline ON tasks (namespace, deadline_ms) WHERE deadline_ms IS NOT NULL;
CREATE INDEX tasks_by_resume ON tasks (namespace, resume_ms) WHERE resume_ms IS NOT NULL;
CREATE INDEX tasks_by_expiry ON tasks (namespace, expires_ms) WHERE expires_ms IS NOT NULL;

CREATE TABLE events (
    namespace INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    task TEXT NOT NULL,
    session TEXT,
    record TEXT NOT NULL,
    PRIMARY KEY (namespace, sequence)
) STRICT;

CREATE INDEX events_by_task ON events (namespace, task, sequence);
CREATE INDEX events_by_session ON events (namespace, session, sequence) WHERE session IS NOT NULL;

CREATE TABLE workers (
    namespace INTEGER NOT NULL,
    id TEXT NOT NULL,
    -- The names of its tools, as JSON.
    tools TEXT NOT NULL,
    lease_until_ms INTEGER NOT NULL,
    -- Off the list; kept only until nothing is claimed for it any more.
    dismissed INTEGER NOT NULL,
    PRIMARY KEY (namespace, id)
) STRICT;

CREATE TABLE tools (
    namespace INTEGER NOT NULL,
    name TEXT NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (namespace, name)
) STRICT;

-- The tools that a source, such as a file of one machine, has offered.
CREATE TABLE sources (
    namespace INTEGER NOT NULL,
    source TEXT NOT NULL,
    tool TEXT NOT NULL,
    PRIMARY KEY (namespace, source, tool)
) STRICT;
