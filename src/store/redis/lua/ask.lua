-- Asks questions at consecutive positions; those asked before return what the journal has.
-- ARGV: id, attempt, first, timeout ms or '', after how many ms people are reminded of each question, 0 for never, or '' for
--       all of that, then for each question: ask (JSON), sum, event detail
-- Returns: {'ok', at or '', until or '', {ask, at, until, answer, answered at}... of those asked before}
--        | {'no_task'} | {'unreadable', problem} | {'lost', now} | {'differs', position} | {'too_many', limit}
--        | {'gap', asked}
local MOST_OPEN, MOST_ASKED = 64, 10000
local first, asks, timeout = tonumber(ARGV[3]), (#ARGV - 5) / 3, ARGV[4]
local task, values = load(ARGV[1], 'q' .. ARGV[3] .. '.sum')
if not task then return values end
if task.is_final or task.attempt ~= ARGV[2] or task.worker == '' then return seldom().refused(task, ARGV[2]) end
local asked, open = tonumber(task.asked), tonumber(task.open)
if first > asked + 1 then return { 'gap', asked } end
local reply, key, fresh = { 'ok', '', '' }, P .. 'task:' .. task.id, first + asks - 1 - asked
-- Nearly always it is one, which nobody asked before.
if first <= asked then
  local sums = { values[10] }
  if asks > 1 then
    for step = 0, asks - 1 do sums[step + 1] = 'q' .. (first + step) .. '.sum' end
    sums = call('HMGET', key, unpack(sums))
  end
  for step = 0, asks - 1 do
    if first + step <= asked and sums[step + 1] ~= ARGV[7 + 3 * step] then return { 'differs', first + step } end
  end
end
if fresh > 0 and open + fresh > MOST_OPEN then return { 'too_many', MOST_OPEN } end
if fresh > 0 and asked + fresh > MOST_ASKED then return { 'too_many', MOST_ASKED } end
for position = first, math.min(asked, first + asks - 1) do
  local q, a = 'q' .. position, 'a' .. position
  local known = call('HMGET', key, q, q .. '.at', q .. '.until', a, a .. '.at')
  for field = 1, 5 do known[field] = known[field] or '' end
  reply[#reply + 1] = known
end
if fresh <= 0 then return reply end

task.status = 'input_required'
local alive = open == 0 and task.hidden ~= '1' and 'a:' .. task.place
local at, until_ms, due, members, fields
for step = asks - fresh, asks - 1 do
  local position = step == 0 and ARGV[3] or whole(first + step)
  local q, time = 'q' .. position, emit(task, 'asked', ARGV[8 + 3 * step], 'position', position, 'timeout', timeout)
  if not at then
    at, until_ms = time, ''
    -- Past the end of time is never.
    local ends = timeout ~= '' and at + timeout
    if ends and ends <= LAST_MS then
      until_ms = string.format('%d', ends)
      due = 'd:' .. padded(until_ms) .. ':q:' .. task.id .. ':'
    end
    alive = alive or due and due .. position
    members = due and { '0', alive, '0', due .. position } or alive and { '0', alive } or {}
    fields = { q, ARGV[6 + 3 * step], q .. '.at', at, q .. '.until', until_ms, q .. '.sum', ARGV[7 + 3 * step] }
  else
    local field, member = #fields, #members
    if due then members[member + 1], members[member + 2] = '0', due .. position end
    fields[field + 1], fields[field + 2] = q, ARGV[6 + 3 * step]
    fields[field + 3], fields[field + 4] = q .. '.at', at
    fields[field + 5], fields[field + 6] = q .. '.until', until_ms
    fields[field + 7], fields[field + 8] = q .. '.sum', ARGV[7 + 3 * step]
  end
end
if ARGV[5] ~= '' then
  local step = 0
  for after in string.gmatch(ARGV[5], '%d+') do
    local remind = at + tonumber(after)
    if step >= asks - fresh and after ~= '0' and remind <= LAST_MS then
      local position, member, field = whole(first + step), #members, #fields
      members[member + 1], members[member + 2] = '0', 'd:' .. digits(remind) .. ':m:' .. task.id .. ':' .. position
      fields[field + 1], fields[field + 2] = 'q' .. position .. '.remind', whole(remind)
    end
    step = step + 1
  end
end
if members[1] then call('ZADD', INDEX, unpack(members)) end
call('HSET', key, 'asked', whole(asked + fresh), 'open', whole(open + fresh), 'updated', at, 'status', task.status,
  'log', task.log, unpack(fields))
reply[2], reply[3] = at, until_ms
return reply
