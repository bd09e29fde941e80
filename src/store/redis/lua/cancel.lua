-- Ends any task that is not final.
-- ARGV: id, reason
-- Returns: {'ok'} | {'no_task'} | {'unreadable', problem} | {'ended', status}
local task, problem = load_to_end(ARGV[1])
if not task then return problem end
if task.is_final then return { 'ended', task.status } end
conclude(task, 'cancelled', 'cancelled', '{"reason":' .. cjson.encode(ARGV[2]) .. '}', 'message', ARGV[2])
return { 'ok' }
