-- More of what `prelude.lua` has, for the scripts that begin or end a task.
local HIDDEN_KEPT_MS = 300000

-- A task with what its end needs of it: its ttl as text, or nil, and when its delay is over, or nil; further fields
-- begin at `values[12]`.
local function load_to_end(id, ...)
  local task, v = load(id, 'ttl', 'resume', ...)
  if task then
    task.ttl = v[10]
    if v[11] and v[11] ~= '' then task.resume = seldom().within(v[11], LAST_MS) end
  end
  return task, v
end

-- What few ends need.
local function at_ends()
  -- When the ttl of a task ends; nil where it has none.
  local function end_of_ttl(task)
    local ttl = seldom().within(task.ttl, LAST_MS)
    return ttl and task.created + ttl
  end
  -- The member of the index that says when the ttl of a task ends.
  local function ending_at(task, ms)
    return 'd:' .. string.format('%015d', ms) .. ':t:' .. task.id
  end
  -- The deadlines and reminders of a task's open questions: of those that are there, however many it is said to have asked.
  local function question_deadlines(task, members)
    local key, found, fields = P .. 'task:' .. task.id, {}, {}
    for _, name in ipairs(call('HKEYS', key)) do
      local position, what = string.match(name, '^q([1-9]%d*)%.(%l+)$')
      if what == 'until' or what == 'remind' then
        found[#found + 1] = (what == 'until' and ':q:' or ':m:') .. task.id .. ':' .. position
        fields[#fields + 1] = name
        fields[#fields + 1] = 'a' .. position .. '.at'
      end
    end
    local values = seldom().fields_of(key, fields)
    for at, rest in ipairs(found) do
      local due = seldom().deadline(values[2 * at - 1])
      if due and not values[2 * at] then members[#members + 1] = 'd:' .. due .. rest end
    end
  end
  return { end_of_ttl = end_of_ttl, ending_at = ending_at, question_deadlines = question_deadlines }
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

-- How many tasks of a scope are not final.
local function unfinished_of(scope)
  local place = 'u:' .. scope .. '\n'
  return call('ZLEXCOUNT', INDEX, '[' .. place, '(' .. place .. ';')
end

-- Every member of the index that a task has.
local function members_of(task)
  local members = { 'i:' .. task.id }
  labels(task, members)
  if task.is_final and task.hidden ~= '1' then
    members[#members + 1] = 'e:' .. task.status .. ':' .. task.place
  else
    members[#members + 1] = live(task)
  end
  if not task.is_final then
    -- By this one it counts as one of its scope.
    members[#members + 1] = 'u:' .. task.scope .. '\n' .. task.place
    if task.open ~= '0' then
      at_ends().question_deadlines(task, members)
      if task.hidden ~= '1' then members[#members + 1] = 'a:' .. task.place end
    end
    if task.resume then members[#members + 1] = 'd:' .. digits(task.resume) .. ':r:' .. task.id end
  end
  local ends = at_ends().end_of_ttl(task)
  if ends then members[#members + 1] = at_ends().ending_at(task, ends) end
  return members
end

-- Puts members into the index.
local function index(members)
  local words = {}
  for _, member in ipairs(members) do
    words[#words + 1] = '0'
    words[#words + 1] = member
  end
  seldom().many('ZADD', INDEX, words)
end

-- What every end has in common; further fields of the task may follow.
local function conclude(task, status, kind, detail, ...)
  task.status, task.is_final = status, true
  local at, key = emit(task, kind, detail), P .. 'task:' .. task.id
  local counted, added = 'u:' .. task.scope .. '\n' .. task.place, 'e:' .. status .. ':' .. task.place
  if task.hidden ~= '1' and task.open == '0' and not task.resume then
    call('ZREM', INDEX, counted, 'l:' .. task.place)
  else
    local ends = at_ends()
    local gone, at_last = { counted, 'l:' .. task.place }, ends.end_of_ttl(task)
    if task.hidden == '1' then
      -- Nobody lists a foreground call, so it is kept only for those who still fetch its end.
      local kept = math.max(0, at - task.created + HIDDEN_KEPT_MS)
      gone[2], added = nil, nil
      if not at_last or task.created + kept < at_last then
        if at_last then gone[2] = ends.ending_at(task, at_last) end
        task.ttl = string.format('%d', kept)
        added = ends.ending_at(task, task.created + kept)
      end
    elseif task.open ~= '0' then
      gone[3] = 'a:' .. task.place
    end
    if task.open ~= '0' then ends.question_deadlines(task, gone) end
    if task.resume then gone[#gone + 1] = string.format('d:%015d:r:', task.resume) .. task.id end
    seldom().many('ZREM', INDEX, gone)
  end
  if added then call('ZADD', INDEX, '0', added) end
  call('HSET', key, 'status', status, 'updated', at, 'worker', '', 'log', task.log, ...)
  -- Most tasks have it so already.
  if task.open ~= '0' or task.entry ~= '' or task.resume or task.hidden == '1' then
    call('HSET', key, 'open', '0', 'entry', '', 'resume', '', 'ttl', task.ttl or '')
  end
  if task.entry ~= '' then try('XDEL', P .. 'ready:' .. task.tool, task.entry) end
  if task.worker ~= '' then try('SREM', P .. 'held:' .. task.worker, task.id) end
end

-- Takes links of a task away; how many of them were there. Those of which only the place is left are as good as none.
local function leave_links(id, digests)
  local count = 0
  for _, digest in ipairs(digests) do
    count = count + call('UNLINK', P .. 'link:' .. digest)
    typed('ZREM', P .. 'links', digest)
  end
  seldom().many('HDEL', P .. 'links:' .. id, digests)
  return count
end

-- The same for all links of a task, which its record says that it has.
local function leave_all_links(id)
  leave_links(id, typed('HKEYS', P .. 'links:' .. id) or {})
  call('UNLINK', P .. 'links:' .. id)
  -- The list of a task that expires may have expired a moment before it.
  typed('ZREMRANGEBYSCORE', P .. 'links', '-inf', string.format('%d', now()))
end
