-- Ends a running task.
-- ARGV: id, attempt, status, outcome (JSON), event kind, event detail (JSON)
-- Returns: {'ok'} | {'no_task'} | {'unreadable', problem} | {'lost', now}
local task, problem = load_to_end(ARGV[1])
if not task then return problem end
if task.is_final or task.attempt ~= ARGV[2] or task.worker == '' then return seldom().refused(task, ARGV[2]) end
conclude(task, ARGV[3], ARGV[5], ARGV[6], 'outcome', ARGV[4])
return { 'ok' }
