-- When people are told once more of a question that still waits. A file in which nobody ever asked such a question has no such
-- table. What is kept of a question goes with its answer and its task's end, whichever version writes those.
CREATE TABLE IF NOT EXISTS reminder (
    namespace INTEGER NOT NULL,
    -- The number of its task, and the question's place there.
    task INTEGER NOT NULL,
    position INTEGER NOT NULL,
    due_ms INTEGER NOT NULL,
    PRIMARY KEY (task, position)
) STRICT;

CREATE INDEX IF NOT EXISTS reminder_due ON reminder (namespace, due_ms);

CREATE TRIGGER IF NOT EXISTS reminder_goes_with_an_answer AFTER UPDATE OF answer ON question WHEN NEW.answer IS NOT NULL BEGIN
    DELETE FROM reminder WHERE task = NEW.task AND position = NEW.position;
END;

CREATE TRIGGER IF NOT EXISTS reminder_goes_with_an_end AFTER UPDATE OF finished_ms ON task WHEN NEW.finished_ms IS NOT NULL BEGIN
    DELETE FROM reminder WHERE task = NEW.number;
END;

CREATE TRIGGER IF NOT EXISTS reminder_goes_with_its_task AFTER DELETE ON task BEGIN
    DELETE FROM reminder WHERE task = OLD.number;
END;
