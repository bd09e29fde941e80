-- Deletes a task whose ttl ended; with 'ended' one that has ended, whatever its ttl.
-- ARGV: id, 'ended' or nothing
-- Returns: {'ok'} | {'unfinished'} | {'no_task'} | {'unreadable', problem}
local SESSION_LOG_MS = 604800000
local task, problem = load_to_end(ARGV[1])
if not task then return problem end
local ends = end_of_ttl(task)
if ARGV[2] == 'ended' then
  if not is_final(task.status) then return { 'unfinished' } end
elseif not ends or ends > now() then
  return { 'ok' }
end
if is_final(task.status) then
  emit(task, 'expired', '')
else
  -- An end like any other, but for its event: that it expired says more.
  conclude(task, 'cancelled', 'expired', '')
end
local members = { 'i:' .. task.id, live(task), 'e:' .. task.status .. ':' .. task.place }
if ends then members[#members + 1] = ending_at(task, ends) end
labels(task, members)
call('ZREM', INDEX, unpack(members))
call('UNLINK', P .. 'task:' .. task.id, P .. 'history:' .. task.id)
if task.session ~= '' then
  local place = 's:' .. task.session .. '\n'
  -- The last task of its session: the session's log is kept for a while and then goes too.
  if #call('ZRANGEBYLEX', INDEX, '[' .. place, '[' .. place .. '\255', 'LIMIT', 0, 1) == 0 then
    try('PEXPIRE', P .. 'log:' .. task.session, SESSION_LOG_MS)
  end
end
return { 'ok' }
