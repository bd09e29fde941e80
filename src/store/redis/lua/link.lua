-- Keeps a link to an open question, until its task goes.
-- ARGV: id, position, digest, link (JSON), how long where the task has no ttl (ms), most links of a question, of a
--       task, and in all
-- Returns: {'ok'} | {'no_task'} | {'unreadable', problem} | {'no_question'} | {'answered', answer (JSON), at}
--        | {'ended', status}
local id, digest = ARGV[1], ARGV[3]
local q, a = 'q' .. ARGV[2], 'a' .. ARGV[2]
local task, values = load_to_end(id, q .. '.at', q .. '.sum', a, a .. '.at')
if not task then return values end
if not (values[12] or values[13]) then return { 'no_question' } end
if (values[14] or '') ~= '' then return { 'answered', values[14], values[15] or '' } end
if task.is_final then return { 'ended', task.status } end
local at = now()
local ends = math.max(at_ends().end_of_ttl(task) or at + tonumber(ARGV[5]), at + 1000)
local key, of_task = P .. 'link:' .. digest, 'links:' .. id
seldom().own(of_task, 'hash')
seldom().own('links', 'zset')
-- Those of the task, the oldest first: the places of links grow.
local found, all, of_question, last = call('HGETALL', P .. of_task), {}, 0, 0
for field = 1, #found, 2 do
  local place, position = string.match(found[field + 1], '^(%d+):(%d+)$')
  if place then last = math.max(last, tonumber(place)) end
  local is_here = not place or position == ARGV[2]
  if is_here then of_question = of_question + 1 end
  all[#all + 1] = { digest = found[field], place = tonumber(place or '0'), is_here = is_here }
end
table.sort(all, function(one, other) return one.place < other.place end)
local gone, over, over_here = {}, #all + 1 - tonumber(ARGV[7]), of_question + 1 - tonumber(ARGV[6])
for _, one in ipairs(all) do
  if over > 0 or over_here > 0 and one.is_here then
    gone[#gone + 1] = one.digest
    over = over - 1
    if one.is_here then over_here = over_here - 1 end
  end
end
call('SET', key, ARGV[4], 'PX', whole(ends - at))
undo = { undo, function() call('UNLINK', key) end }
call('HSET', P .. of_task, digest, whole(last + 1) .. ':' .. ARGV[2])
undo = { undo, P .. of_task, digest, 'HDEL' }
call('PEXPIRE', P .. of_task, whole(ends - at))
call('ZADD', P .. 'links', whole(ends), digest)
undo = { undo, P .. 'links', digest, 'ZREM' }
call('HSET', P .. 'task:' .. id, 'links', '1')
-- What there is too much of keeps nothing from happening. Of another task's link the place there stays until the task goes.
try('ZREMRANGEBYSCORE', P .. 'links', '-inf', whole(at))
local count = try('ZCARD', P .. 'links')
if type(count) == 'number' and count > tonumber(ARGV[8]) then
  local beyond = try('ZRANGE', P .. 'links', '0', whole(math.min(count - tonumber(ARGV[8]), WORDS) - 1))
  for place = 1, #beyond do
    if beyond[place] ~= digest then gone[#gone + 1] = beyond[place] end
  end
end
for place = 1, #gone do
  try('UNLINK', P .. 'link:' .. gone[place])
  try('HDEL', P .. of_task, gone[place])
  try('ZREM', P .. 'links', gone[place])
end
return { 'ok' }
