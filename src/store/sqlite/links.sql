-- Links to questions, by the digest of their token. A file in which nobody ever made one has no such table. What is kept of
-- a task's links goes with its row, whichever version deletes that.
CREATE TABLE IF NOT EXISTS link (
    namespace INTEGER NOT NULL,
    digest TEXT NOT NULL,
    -- The number of its task, and the question's place there.
    task INTEGER NOT NULL,
    position INTEGER NOT NULL,
    -- Which link of all it is: later ones have greater numbers.
    number INTEGER NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (namespace, digest)
) STRICT;

CREATE INDEX IF NOT EXISTS link_by_task ON link (task, position, number);
CREATE INDEX IF NOT EXISTS link_by_number ON link (namespace, number);

CREATE TRIGGER IF NOT EXISTS link_goes_with_its_task AFTER DELETE ON task BEGIN
    DELETE FROM link WHERE task = OLD.number;
END;
