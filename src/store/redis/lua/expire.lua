-- Deletes a task whose ttl ended, or moves it to the archive, as this process or another one says; with 'ended' one that
-- has ended, whatever its ttl, or what the archive has of it.
-- ARGV: id, how long it is archived (ms) or '', the most bytes of the archive or '', 'ended' or nothing
-- Returns: {'ok'} | {'unfinished'} | {'no_task'} | {'unreadable', problem}
local SESSION_LOG_MS = 604800000
local task, problem = load_to_end(ARGV[1], 'links')
if not task then
  -- Who deletes a task wants nothing of it, also where it has expired meanwhile.
  if ARGV[4] == 'ended' and problem[1] == 'no_task' and call('EXISTS', P .. 'archived:' .. ARGV[1]) == 1 then
    bound_archive(-leave_archive(ARGV[1]), math.huge, now())
    return { 'ok' }
  end
  return problem
end
local has_links, ends = problem[12], at_ends().end_of_ttl(task)
if ARGV[4] == 'ended' then
  if not task.is_final then return { 'unfinished' } end
elseif not ends or ends > now() then
  return { 'ok' }
end
if task.is_final then
  emit(task, 'expired', ARGV[4] == 'ended' and '{"pruned":true}' or '')
else
  -- An end like any other, but for its event: that it expired says more.
  conclude(task, 'cancelled', 'expired', '')
end
local members = { 'i:' .. task.id, live(task), 'e:' .. task.status .. ':' .. task.place }
if ends then members[#members + 1] = at_ends().ending_at(task, ends) end
labels(task, members)
local kept, most, at, archived = tonumber(ARGV[2]), tonumber(ARGV[3]), nil, nil
if not kept and ARGV[4] ~= 'ended' then kept, most = said_retention() end
if kept and task.hidden ~= '1' then
  at = now()
  archived = archive(task, kept, at)
end
call('ZREM', INDEX, unpack(members))
call('UNLINK', P .. 'task:' .. task.id, P .. 'history:' .. task.id)
if task.session ~= '' then
  local place = 's:' .. task.session .. '\n'
  -- The last task of its session: the session's log is kept for a while and then goes too.
  if #call('ZRANGEBYLEX', INDEX, '[' .. place, '[' .. place .. '\255', 'LIMIT', 0, 1) == 0 then
    try('PEXPIRE', P .. 'log:' .. task.session, SESSION_LOG_MS)
  end
end
if has_links then leave_all_links(task.id) end
if archived then bound_archive(archived, most, at) end
return { 'ok' }
