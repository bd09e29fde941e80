-- Layout 2. Whatever a transition needs is a column, so that it reads and writes no JSON; what is large or only read
-- (arguments, questions, outcomes) is beside it, so that a step of a task rewrites a small row.
--
-- No table has a name of layout 1: a process of an older version that still has the file open gets an error for each
-- of its statements, and can do no harm.
CREATE TABLE namespace (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    -- Another number whenever what `tool` says has changed.
    tool_changes INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE task (
    number INTEGER PRIMARY KEY,
    namespace INTEGER NOT NULL,
    id TEXT NOT NULL,
    tool TEXT NOT NULL,
    scope TEXT NOT NULL,
    session TEXT,
    hidden INTEGER NOT NULL,
    status TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    finished_ms INTEGER,
    ttl_ms INTEGER,
    -- When it is deleted: at the end of its ttl, or sooner where nobody needs it any more.
    expires_ms INTEGER,
    -- Its place in the ready queue: the sequence of the event that queued it.
    queued INTEGER,
    -- When a task that was given back with a delay is queued again.
    resume_ms INTEGER,
    worker TEXT,
    claimed_ms INTEGER,
    attempt INTEGER NOT NULL,
    -- How many attempts ended without an outcome and count, and how many may.
    failures INTEGER NOT NULL,
    max_attempts INTEGER NOT NULL,
    -- Its questions: how many there are, and how many of them nobody has answered.
    asked INTEGER NOT NULL,
    open INTEGER NOT NULL,
    -- How many events it has had.
    logged INTEGER NOT NULL,
    message TEXT,
    progress TEXT,
    last_failure TEXT,
    -- Why it cannot be read, once somebody has found out: it is in no queue any more.
    problem TEXT,
    UNIQUE (namespace, id)
) STRICT;

-- One index for each way to page through tasks; `hidden` comes first so that a page of tasks that are
-- shown never walks over foreground calls.
CREATE INDEX task_by_time ON task (namespace, hidden, created_ms, id);
CREATE INDEX task_by_scope ON task (namespace, hidden, scope, created_ms, id);
CREATE INDEX task_by_scope_and_status ON task (namespace, hidden, scope, status, created_ms, id);
CREATE INDEX task_by_session ON task (namespace, hidden, session, created_ms, id) WHERE session IS NOT NULL;
CREATE INDEX task_by_status ON task (namespace, hidden, status, created_ms, id);
CREATE INDEX task_by_tool ON task (namespace, hidden, tool, created_ms, id);
CREATE INDEX task_ready ON task (namespace, tool, queued) WHERE queued IS NOT NULL;
CREATE INDEX task_by_worker ON task (namespace, worker) WHERE worker IS NOT NULL;
CREATE INDEX task_by_resume ON task (namespace, resume_ms) WHERE resume_ms IS NOT NULL;
CREATE INDEX task_by_expiry ON task (namespace, expires_ms) WHERE expires_ms IS NOT NULL;
-- Those that somebody found to be unreadable, for `doctor`.
CREATE INDEX task_unreadable ON task (namespace) WHERE problem IS NOT NULL;
CREATE INDEX task_by_end ON task (namespace, scope, finished_ms) WHERE finished_ms IS NOT NULL;

-- A task's arguments, as JSON.
CREATE TABLE arguments (task INTEGER PRIMARY KEY, record TEXT NOT NULL) STRICT;

-- How a task ended by itself, as JSON.
CREATE TABLE outcome (task INTEGER PRIMARY KEY, record TEXT NOT NULL) STRICT;

-- The journal: what a task has asked.
CREATE TABLE question (
    task INTEGER NOT NULL,
    position INTEGER NOT NULL,
    namespace INTEGER NOT NULL,
    asked_ms INTEGER NOT NULL,
    deadline_ms INTEGER,
    -- The deadline as long as the question is open.
    due_ms INTEGER,
    fingerprint TEXT NOT NULL,
    -- What is asked, and the answer, as JSON.
    record TEXT NOT NULL,
    answer TEXT,
    PRIMARY KEY (task, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX question_due ON question (namespace, due_ms) WHERE due_ms IS NOT NULL;

-- How many tasks a scope has. A scope that has none has no row.
CREATE TABLE scope (
    namespace INTEGER NOT NULL,
    name TEXT NOT NULL,
    unfinished INTEGER NOT NULL,
    finished INTEGER NOT NULL,
    PRIMARY KEY (namespace, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE event (
    namespace INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    task TEXT NOT NULL,
    tool TEXT NOT NULL,
    scope TEXT NOT NULL,
    session TEXT,
    hidden INTEGER NOT NULL,
    status TEXT NOT NULL,
    -- What happened, as JSON.
    record TEXT NOT NULL,
    -- The bytes of all events up to this one, and the events of its session.
    bytes INTEGER NOT NULL,
    session_events INTEGER,
    PRIMARY KEY (namespace, sequence)
) STRICT, WITHOUT ROWID;

CREATE INDEX event_by_task ON event (namespace, task, sequence);
CREATE INDEX event_by_session ON event (namespace, session, sequence) WHERE session IS NOT NULL;

CREATE TABLE worker (
    namespace INTEGER NOT NULL,
    id TEXT NOT NULL,
    lease_until_ms INTEGER NOT NULL,
    -- Off the list; kept only until nothing is claimed for it any more.
    dismissed INTEGER NOT NULL,
    -- When it was enlisted, and what it says of itself, as JSON. Files that were made by the first versions of this
    -- layout get these two later, when a process opens them that writes.
    since_ms INTEGER,
    about TEXT,
    PRIMARY KEY (namespace, id)
) STRICT, WITHOUT ROWID;

-- Which tools a worker runs.
CREATE TABLE offer (
    namespace INTEGER NOT NULL,
    worker TEXT NOT NULL,
    tool TEXT NOT NULL,
    PRIMARY KEY (namespace, worker, tool)
) STRICT, WITHOUT ROWID;

CREATE INDEX offer_by_tool ON offer (namespace, tool, worker);

CREATE TABLE tool (
    namespace INTEGER NOT NULL,
    name TEXT NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (namespace, name)
) STRICT;

-- The tools that a source, such as a file of one machine, has offered.
CREATE TABLE source (
    namespace INTEGER NOT NULL,
    name TEXT NOT NULL,
    tool TEXT NOT NULL,
    PRIMARY KEY (namespace, name, tool)
) STRICT, WITHOUT ROWID;
