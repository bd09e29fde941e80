-- Notifiers: who runs them, how far they are, what they still have to deliver. A file on which nobody ever ran one has
-- no such tables.
CREATE TABLE IF NOT EXISTS notifier (
    namespace INTEGER NOT NULL,
    name TEXT NOT NULL,
    -- Who holds it, until when, and what to tell people of that.
    holder TEXT NOT NULL,
    until_ms INTEGER NOT NULL,
    about TEXT NOT NULL,
    -- Its places in the log.
    events TEXT NOT NULL,
    unanswered TEXT NOT NULL,
    -- Changes when somebody else changed its deliveries.
    revision INTEGER NOT NULL,
    status TEXT NOT NULL,
    PRIMARY KEY (namespace, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS delivery (
    namespace INTEGER NOT NULL,
    notifier TEXT NOT NULL,
    id TEXT NOT NULL,
    -- Whether it was given up.
    is_aside INTEGER NOT NULL,
    number INTEGER NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (namespace, notifier, id)
) STRICT;
