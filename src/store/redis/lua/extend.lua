-- Gives an open question more time, and its task where that would end too early.
-- ARGV: id, position, how long from now on (ms), how long the task is kept beyond that (ms), event detail (JSON)
-- Returns: {'ok', until, when the ttl ends now or ''} | {'no_task'} | {'unreadable', problem} | {'no_question'}
--        | {'answered', answer (JSON), at} | {'ended', status} | {'longer', until or ''}
local id, q, a = ARGV[1], 'q' .. ARGV[2], 'a' .. ARGV[2]
local task, values = load_to_end(id, 'links', q .. '.at', q .. '.until', q .. '.sum', a, a .. '.at')
if not task then return values end
if not (values[13] or values[14] or values[15]) then return { 'no_question' } end
if (values[16] or '') ~= '' then return { 'answered', values[16], values[17] or '' } end
if task.is_final then return { 'ended', task.status } end
local at, before = now(), seldom().within(values[14], LAST_MS)
local deadline, ends = math.min(at + tonumber(ARGV[3]), LAST_MS), at_ends().end_of_ttl(task)
-- It ends with its task, whatever its own end. One without any waits for ever; an end that is no time is set right.
local is_endless = (values[14] or '') == ''
local first = before
if ends and (is_endless or before and ends < before) then first = ends end
if first and first >= deadline or is_endless and not ends then return { 'longer', first and whole(first) or '' } end
if before then deadline = math.max(deadline, before) end
local kept = math.min(deadline + tonumber(ARGV[4]), LAST_MS)
local moves = ends and ends < kept
local until_ms, ends_ms = whole(deadline), moves and whole(kept) or ''
local changed = emit(task, 'extended', ARGV[5], 'until', until_ms, 'expires', ends_ms)
local members = { '0', 'd:' .. digits(deadline) .. ':q:' .. id .. ':' .. ARGV[2] }
if moves then members[3], members[4] = '0', at_ends().ending_at(task, kept) end
call('ZADD', INDEX, unpack(members))
if before and before ~= deadline then call('ZREM', INDEX, 'd:' .. digits(before) .. ':q:' .. id .. ':' .. ARGV[2]) end
local key = P .. 'task:' .. id
call('HSET', key, q .. '.until', until_ms, 'updated', changed, 'log', task.log)
if moves then
  call('ZREM', INDEX, at_ends().ending_at(task, ends))
  call('HSET', key, 'ttl', whole(kept - task.created))
end
-- Its links lead there for as long as it is kept.
if moves and values[12] then
  local of_task, left = P .. 'links:' .. id, whole(kept - at)
  for _, digest in ipairs(typed('HKEYS', of_task) or {}) do
    try('PEXPIRE', P .. 'link:' .. digest, left)
    try('ZADD', P .. 'links', 'XX', ends_ms, digest)
  end
  try('PEXPIRE', of_task, left)
end
return { 'ok', until_ms, ends_ms }
