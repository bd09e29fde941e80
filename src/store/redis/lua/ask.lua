-- Asks questions at consecutive positions; those asked before return what the journal has.
-- ARGV: id, attempt, first, timeout ms or '', most open, then for each question: ask (JSON), sum, event detail
-- Returns: {'ok', at or '', until or '', {ask, at, until, answer, answered at}... of those asked before}
--        | {'no_task'} | {'unreadable', problem} | {'lost', now} | {'differs', position} | {'too_many'}
--        | {'gap', asked}
local first, asks = tonumber(ARGV[3]), (#ARGV - 5) / 3
local sums = {}
for step = 0, asks - 1 do sums[step + 1] = 'q' .. whole(first + step) .. '.sum' end
local task, problem = load(ARGV[1], sums)
if not task then return problem end
local refusal = refused(task, ARGV[2])
if refusal then return refusal end
if first > task.asked + 1 then return { 'gap', whole(task.asked) } end
for step = 0, asks - 1 do
  if first + step <= task.asked and task.more[step + 1] ~= ARGV[7 + 3 * step] then
    return { 'differs', whole(first + step) }
  end
end
local fresh = math.max(0, first + asks - 1 - task.asked)
if task.open + fresh > tonumber(ARGV[5]) then return { 'too_many' } end
local reply, at, due = { 'ok', '', '' }, nil, ''
local members, fields = {}, {}

local function add(position, step)
  task.status = 'input_required'
  local time = emit(task, 'asked', ARGV[8 + 3 * step], 'position', position, 'timeout', ARGV[4])
  at = at or time
  if ARGV[4] ~= '' then due = at + tonumber(ARGV[4]) end
  -- Past the end of time is never.
  if due ~= '' and due > LAST_MS then due = '' end
  if due ~= '' then members[#members + 1] = deadline(due, 'q', task.id .. ':' .. position) end
  local q = 'q' .. position
  for _, word in ipairs({ q, ARGV[6 + 3 * step], q .. '.at', whole(at), q .. '.until', due ~= '' and whole(due) or '',
    q .. '.sum', ARGV[7 + 3 * step] }) do
    fields[#fields + 1] = word
  end
end

local function known(position)
  local q, a = 'q' .. position, 'a' .. position
  local values = call('HMGET', key(task.id), q, q .. '.at', q .. '.until', a, a .. '.at')
  for field = 1, 5 do values[field] = values[field] or '' end
  return values
end

for step = 0, asks - 1 do
  local position = whole(first + step)
  if first + step <= task.asked then reply[#reply + 1] = known(position) else add(position, step) end
end
if fresh > 0 then
  if task.open == 0 and task.hidden ~= '1' then members[#members + 1] = asking(task) end
  index(members)
  call('HSET', key(task.id), 'asked', whole(task.asked + fresh), 'open', whole(task.open + fresh), 'updated', whole(at),
    'status', task.status, 'log', task.log, unpack(fields))
  reply[2], reply[3] = whole(at), due ~= '' and whole(due) or ''
end
return reply
