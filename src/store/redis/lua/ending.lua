-- Stands after `prelude.lua` in the scripts that begin or end a task.
local HIDDEN_KEPT_MS = 300000

-- A task with what its end needs of it; further fields begin at `values[15]`.
local function load_to_end(id, ...)
  local task, v = load(id, 'ttl', 'resume', ...)
  if task then task.ttl, task.resume = v[13] or '', v[14] or '' end
  return task, v
end

-- The member by which people find a task that is not final.
local function live(task)
  return (task.hidden == '1' and 'h:' or 'l:') .. task.place
end

-- The members by which people page through a task's scope and session.
local function labels(task, members)
  if task.hidden == '1' then return end
  if task.scope ~= 'anonymous' then members[#members + 1] = 'o:' .. task.scope .. '\n' .. task.place end
  if task.session ~= '' then members[#members + 1] = 's:' .. task.session .. '\n' .. task.place end
end

-- Adds to the number of unfinished tasks of a scope, of which nothing is left at none.
local function count(scope, by)
  local open = P .. 'open'
  local number = put('hash', 'HINCRBY', 'open', scope, by)
  undo[#undo + 1] = function() if call('HINCRBY', open, scope, by == '1' and '-1' or '1') <= 0 then call('HDEL', open, scope) end end
  if number <= 0 then call('HDEL', open, scope) end
  return number
end

-- The deadlines of a task's open questions.
local function question_deadlines(task, members)
  local fields = {}
  for position = 1, task.asked do
    fields[#fields + 1] = 'q' .. position .. '.until'
    fields[#fields + 1] = 'a' .. position .. '.at'
  end
  local values = call('HMGET', P .. 'task:' .. task.id, unpack(fields))
  for position = 1, task.asked do
    local due = tonumber(values[2 * position - 1] or '')
    if due and not values[2 * position] then
      members[#members + 1] = 'd:' .. digits(due) .. ':q:' .. task.id .. ':' .. position
    end
  end
end

-- What every end has in common; further fields of the task may follow.
local function conclude(task, status, kind, detail, ...)
  task.status = status
  local at = emit(task, kind, detail)
  count(task.scope, '-1')
  local gone, added
  if task.hidden ~= '1' then
    gone, added = { 'l:' .. task.place }, 'e:' .. status .. ':' .. task.place
    if task.open > 0 then gone[2] = 'a:' .. task.place end
  else
    -- Nobody lists a foreground call, so it is kept only for those who still fetch its end.
    local kept, ttl = tonumber(at) - task.created + HIDDEN_KEPT_MS, tonumber(task.ttl)
    gone = {}
    if not ttl or kept < ttl then
      if ttl then gone[1] = 'd:' .. digits(task.created + ttl) .. ':t:' .. task.id end
      task.ttl = whole(kept)
      added = 'd:' .. digits(task.created + kept) .. ':t:' .. task.id
    end
  end
  if task.open > 0 then question_deadlines(task, gone) end
  if task.resume ~= '' then gone[#gone + 1] = 'd:' .. digits(tonumber(task.resume)) .. ':r:' .. task.id end
  if #gone > 0 then call('ZREM', INDEX, unpack(gone)) end
  if added then call('ZADD', INDEX, '0', added) end
  call('HSET', P .. 'task:' .. task.id, 'status', status, 'updated', at, 'finished', at, 'open', '0', 'worker', '',
    'claimed', '', 'entry', '', 'resume', '', 'ttl', task.ttl, 'log', task.log, ...)
  if task.entry ~= '' then try('XDEL', P .. 'ready:' .. task.tool, task.entry) end
  if task.worker ~= '' then try('SREM', P .. 'held:' .. task.worker, task.id) end
end
