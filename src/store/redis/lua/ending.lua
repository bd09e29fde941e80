-- More of what `prelude.lua` has, for the scripts that begin or end a task.
local HIDDEN_KEPT_MS = 300000

-- A task with what its end needs of it, nil where it has no ttl or no delay; further fields begin at `values[15]`.
local function load_to_end(id, ...)
  local task, v = load(id, 'ttl', 'resume', ...)
  if task then task.ttl, task.resume = within(v[13], LAST_MS), within(v[14], LAST_MS) end
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

-- Adds 1 or -1 to the number of unfinished tasks of a scope, of which nothing is left at none. A number that somebody
-- else wrote there and that is none counts as lost: the scope is counted anew from none.
local function count(scope, by)
  local open, before = P .. 'open', nil
  local number = try('HINCRBY', open, scope, by)
  if type(number) == 'table' then
    if string.find(number.err, 'integer', 1, true) or string.find(number.err, 'overflow', 1, true) then
      before = call('HGET', open, scope)
      call('HDEL', open, scope)
    else
      own('open', 'hash', number)
    end
    number = call('HINCRBY', open, scope, by)
  elseif number ~= tonumber(by) then
    before = whole(number - tonumber(by))
  end
  undo[#undo + 1] = function() if before then call('HSET', open, scope, before) else call('HDEL', open, scope) end end
  if number > 0 then return number end
  if by == '1' then
    call('HSET', open, scope, '1')
    return 1
  end
  call('HDEL', open, scope)
  return 0
end

-- More unfinished tasks than this a scope cannot have, whatever its count says.
local function most_unfinished(scope)
  local live = call('ZLEXCOUNT', INDEX, '[l:', '(l;')
  if scope ~= 'anonymous' then
    local place = 'o:' .. scope .. '\n'
    live = math.min(live, call('ZLEXCOUNT', INDEX, '[' .. place, '[' .. place .. '\255'))
  end
  return live + call('ZLEXCOUNT', INDEX, '[h:', '(h;')
end

-- The deadlines of a task's open questions: of those that are there, however many it is said to have asked.
local function question_deadlines(task, members)
  local key, positions, fields = P .. 'task:' .. task.id, {}, {}
  for _, name in ipairs(call('HKEYS', key)) do
    local position = string.match(name, '^q([1-9]%d*)%.until$')
    if position then
      positions[#positions + 1] = position
      fields[#fields + 1] = name
      fields[#fields + 1] = 'a' .. position .. '.at'
    end
  end
  local values = fields_of(key, fields)
  for at, position in ipairs(positions) do
    local due = within(values[2 * at - 1], LAST_MS)
    if due and not values[2 * at] then
      members[#members + 1] = 'd:' .. digits(due) .. ':q:' .. task.id .. ':' .. position
    end
  end
end

-- Every member of the index that a task has.
local function members_of(task)
  local members = { 'i:' .. task.id }
  labels(task, members)
  if is_final(task.status) and task.hidden ~= '1' then
    members[#members + 1] = 'e:' .. task.status .. ':' .. task.place
  else
    members[#members + 1] = live(task)
  end
  if not is_final(task.status) then
    if task.open > 0 then
      question_deadlines(task, members)
      if task.hidden ~= '1' then members[#members + 1] = 'a:' .. task.place end
    end
    if task.resume then members[#members + 1] = 'd:' .. digits(task.resume) .. ':r:' .. task.id end
  end
  if task.ttl then members[#members + 1] = 'd:' .. digits(task.created + task.ttl) .. ':t:' .. task.id end
  return members
end

-- Puts members into the index.
local function index(members)
  local words = {}
  for _, member in ipairs(members) do
    words[#words + 1] = '0'
    words[#words + 1] = member
  end
  many('ZADD', INDEX, words)
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
    local kept = math.max(0, tonumber(at) - task.created + HIDDEN_KEPT_MS)
    gone = {}
    if not task.ttl or kept < task.ttl then
      if task.ttl then gone[1] = 'd:' .. digits(task.created + task.ttl) .. ':t:' .. task.id end
      task.ttl = kept
      added = 'd:' .. digits(task.created + kept) .. ':t:' .. task.id
    end
  end
  if task.open > 0 then question_deadlines(task, gone) end
  if task.resume then gone[#gone + 1] = 'd:' .. digits(task.resume) .. ':r:' .. task.id end
  many('ZREM', INDEX, gone)
  if added then call('ZADD', INDEX, '0', added) end
  local key = P .. 'task:' .. task.id
  call('HSET', key, 'status', status, 'updated', at, 'worker', '', 'log', task.log, ...)
  -- Most tasks have it so already.
  if task.open > 0 or task.entry ~= '' or task.resume or task.hidden == '1' then
    call('HSET', key, 'open', '0', 'entry', '', 'resume', '', 'ttl', task.ttl and whole(task.ttl) or '')
  end
  if task.entry ~= '' then try('XDEL', P .. 'ready:' .. task.tool, task.entry) end
  if task.worker ~= '' then try('SREM', P .. 'held:' .. task.worker, task.id) end
end
