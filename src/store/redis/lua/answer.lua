-- Answers a question, if nobody has.
-- ARGV: id, position, answer (JSON), event detail (JSON)
-- Returns: {'ok', at} | {'no_task'} | {'unreadable', problem} | {'no_question'} | {'answered', answer (JSON), at}
--        | {'ended', status}
local position = ARGV[2]
local q, a = 'q' .. position, 'a' .. position
local task, problem = load(ARGV[1], { q .. '.at', q .. '.until', a, a .. '.at' })
if not task then return problem end
local asked_at, due, answer, answered_at = unpack(task.more, 1, 4)
if not asked_at then return { 'no_question' } end
if answer then return { 'answered', answer, answered_at } end
if is_final(task.status) then return { 'ended', task.status } end
local is_last, gone = task.open <= 1, {}
if is_last then task.status = 'working' end
local at = emit(task, 'answered', ARGV[4])
if tonumber(due or '') then gone[1] = deadline(tonumber(due), 'q', task.id .. ':' .. position) end
if is_last and task.hidden ~= '1' then gone[#gone + 1] = asking(task) end
unindex(gone)
if is_last and task.worker == '' and task.entry == '' then enqueue(task) end
call('HSET', key(task.id), a, ARGV[3], a .. '.at', whole(at), 'open', whole(math.max(0, task.open - 1)), 'updated',
  whole(at), 'status', task.status, 'entry', task.entry, 'log', task.log)
return { 'ok', whole(at) }
