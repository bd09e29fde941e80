-- Ends a task whose tool was withdrawn, unless a worker holds it.
-- ARGV: id, tool, outcome (JSON), event detail (JSON)
-- Returns: {'ok'}
local task = load_to_end(ARGV[1])
if task and task.tool == ARGV[2] and task.worker == '' and not task.is_final then
  conclude(task, 'failed', 'failed', ARGV[4], 'outcome', ARGV[3])
end
return { 'ok' }
