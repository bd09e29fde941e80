-- Stands before every script of this folder, whose text is the body of a function that `epilogue.lua` calls.
--
-- KEYS[1] is what keys of this layout begin with, `mcptask:{NAMESPACE}:2:`. One hash tag puts
-- a namespace on one shard of a cluster, where scripts may touch all of its keys. Text that users choose stands
-- last in a key, so that no label can spell another label's key.
--
--   meta               hash    layout; epoch, another one after the data was lost. It alone stands under
--                              `mcptask:{NAMESPACE}:`, for programs of every layout
--   task:ID            hash    the task: `new` (JSON), its parts that scripts need, and the journal:
--                              qN (JSON), qN.at, qN.until (ms), qN.sum, aN (JSON), aN.at (ms);
--                              log: the ids of its latest events
--   history:ID         list    the ids of its earlier events, some dozens in each item
--   events             stream  all events
--   log:SESSION        stream  the ids of the session's events
--   ready:TOOL         stream  unclaimed tasks; an entry is deleted when its task is claimed. Its consumer group
--                              `workers` only wakes one of those who wait: nothing is ever pending in it
--   index              zset    members of score 0, in the order of their letters (TIME: 15 digits of ms):
--                                i:ID                        every task
--                                l:CREATED:ID                not final; `h:` in its place for a hidden task, for ever
--                                a:CREATED:ID                with an open question
--                                e:STATUS:CREATED:ID         final
--                                o:SCOPE\nCREATED:ID         of a scope that is not anonymous
--                                s:SESSION\nCREATED:ID       of a session
--                                d:TIME:t:ID, d:TIME:q:ID:N, d:TIME:r:ID
--                                                            when a ttl ends, a question times out, a delay is over
--   open               hash    scope -> number of tasks that are not final
--   tools              hash    name -> specification (JSON)
--   tools:changes      stream  one entry, of the last change of `tools`: tails wait on it beside `events`
--   source:SOURCE      set     the tools that a source, such as a file of one machine, has offered
--   leases             zset    worker ids by the end of their lease (ms); 0 when dismissed
--   worker:WORKER      string  its tools' names (JSON)
--   held:WORKER        set     the tasks that it holds
--
-- A script that ends in an error has changed nothing: each write that is not the last one notes how it is undone, and
-- `epilogue.lua` undoes what was written before the error. What must not keep a transition from happening (the
-- session's log, the ready queue of a task that ends) is written by `redis.pcall`.
local P, call, try = KEYS[1], redis.call, redis.pcall
local INDEX, EVENTS, OPEN, LEASES, TOOLS = P .. 'index', P .. 'events', P .. 'open', P .. 'leases', P .. 'tools'
local LOG_EVENTS, SESSION_EVENTS = 1000000, 100000
local SESSION_LOG_MS, HIDDEN_KEPT_MS = 604800000, 300000
-- Bytes of event ids that a task keeps in its hash, and items of them in its list: about 10,000 events.
local RECENT_BYTES, HISTORY_ITEMS = 640, 280
-- The end of the year 9999, the last time that timestamps can say.
local LAST_MS = 253402207200999
local undo = {}

local function undone_by(step)
  undo[#undo + 1] = step
end

local function now()
  local time = call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function key(id)
  return P .. 'task:' .. id
end

-- Times in members of the index, so that their letters have their order.
local function digits(ms)
  return string.format('%015.0f', ms)
end

local function whole(number)
  return string.format('%.0f', number)
end

local PARTS = { 'status', 'worker', 'attempt', 'tool', 'session', 'scope', 'hidden', 'created',
  'open', 'asked', 'failures', 'most', 'ttl', 'entry', 'resume', 'log' }
local NUMBERS = { 'attempt', 'created', 'open', 'asked', 'failures', 'most' }

-- The parts of a task that transitions need, with the values of `more` fields as `task.more`; or nil and the reply
-- that says why not.
local function load(id, more)
  local fields = PARTS
  if more then
    fields = { unpack(PARTS) }
    for _, name in ipairs(more) do fields[#fields + 1] = name end
  end
  local values = try('HMGET', key(id), unpack(fields))
  if values.err then
    return nil, { 'unreadable', 'its record is a ' .. call('TYPE', key(id)).ok .. ', not a hash' }
  end
  if not values[1] then
    if call('EXISTS', key(id)) == 0 then return nil, { 'no_task' } end
    return nil, { 'unreadable', 'its record has no status' }
  end
  local task = { id = id }
  for at, name in ipairs(PARTS) do task[name] = values[at] or '' end
  for _, name in ipairs(NUMBERS) do
    local number = tonumber(task[name])
    if not number then
      return nil, { 'unreadable', 'field "' .. name .. '" of its record is not a number' }
    end
    task[name] = number
  end
  if more then task.more = { unpack(values, #PARTS + 1, #fields) } end
  return task
end

local function is_final(status)
  return status == 'completed' or status == 'failed' or status == 'cancelled'
end

-- nil when `attempt` may write for the task, else the reply that refuses it.
local function refused(task, attempt)
  if is_final(task.status) then return { 'lost', 'the task is ' .. task.status } end
  if task.attempt ~= tonumber(attempt) then
    return { 'lost', 'the task was claimed again, attempt ' .. whole(task.attempt) }
  end
  if task.worker == '' then return { 'lost', 'the task went back to the queue' } end
  return nil
end

-- Adds members to the index, or removes them.
local function index(members)
  if #members == 0 then return end
  local pairs_of = {}
  for at, member in ipairs(members) do pairs_of[2 * at - 1], pairs_of[2 * at] = 0, member end
  call('ZADD', INDEX, unpack(pairs_of))
  undone_by(function() call('ZREM', INDEX, unpack(members)) end)
end

local function unindex(members)
  if #members == 0 then return end
  call('ZREM', INDEX, unpack(members))
  undone_by(function() index(members) end)
end

local function live(task)
  return (task.hidden == '1' and 'h:' or 'l:') .. digits(task.created) .. ':' .. task.id
end

local function asking(task)
  return 'a:' .. digits(task.created) .. ':' .. task.id
end

local function ended(task)
  return 'e:' .. task.status .. ':' .. digits(task.created) .. ':' .. task.id
end

local function deadline(ms, kind, id)
  return 'd:' .. digits(ms) .. ':' .. kind .. ':' .. id
end

-- The members by which people page through a task's scope and session.
local function labels(task, members)
  if task.hidden == '1' then return end
  local place = '\n' .. digits(task.created) .. ':' .. task.id
  if task.scope ~= 'anonymous' then members[#members + 1] = 'o:' .. task.scope .. place end
  if task.session ~= '' then members[#members + 1] = 's:' .. task.session .. place end
end

-- Appends one event and returns its time, which is the transition's. The caller stores `task.log`.
local function emit(task, kind, detail, ...)
  local id = call('XADD', EVENTS, 'MAXLEN', '~', LOG_EVENTS, '*', 'kind', kind, 'task', task.id, 'tool', task.tool,
    'session', task.session, 'scope', task.scope, 'hidden', task.hidden, 'status', task.status, 'detail', detail, ...)
  undone_by(function() call('XDEL', EVENTS, id) end)
  if task.session ~= '' then
    try('XADD', P .. 'log:' .. task.session, 'MAXLEN', '~', SESSION_EVENTS, id, 'e', '')
  end
  task.log = task.log == '' and id or task.log .. ' ' .. id
  if #task.log > RECENT_BYTES then
    try('RPUSH', P .. 'history:' .. task.id, task.log)
    try('LTRIM', P .. 'history:' .. task.id, -HISTORY_ITEMS, -1)
    task.log = ''
  end
  return tonumber(string.match(id, '^%d+'))
end

local function tools_changed()
  call('XADD', P .. 'tools:changes', 'MAXLEN', 1, '*', 'changed', 1)
end

-- Queues a task; the caller stores `task.entry`.
local function enqueue(task)
  local ready = P .. 'ready:' .. task.tool
  task.entry = call('XADD', ready, '*', 'task', task.id)
  undone_by(function() call('XDEL', ready, task.entry) end)
end

-- Adds to the number of unfinished tasks of a scope, of which nothing is left at none.
local function count(scope, by)
  local number = call('HINCRBY', OPEN, scope, by)
  undone_by(function() if call('HINCRBY', OPEN, scope, -by) <= 0 then call('HDEL', OPEN, scope) end end)
  return number
end

-- The deadlines of a task's open questions.
local function question_deadlines(task, members)
  local fields = {}
  for position = 1, task.asked do
    fields[#fields + 1] = 'q' .. position .. '.until'
    fields[#fields + 1] = 'a' .. position .. '.at'
  end
  local values = call('HMGET', key(task.id), unpack(fields))
  for position = 1, task.asked do
    local due = tonumber(values[2 * position - 1] or '')
    if due and not values[2 * position] then
      members[#members + 1] = deadline(due, 'q', task.id .. ':' .. position)
    end
  end
end

-- What every end has in common; further fields of the task may follow.
local function conclude(task, status, kind, detail, ...)
  local entry, gone = task.entry, {}
  if task.open > 0 then
    question_deadlines(task, gone)
    if task.hidden ~= '1' then gone[#gone + 1] = asking(task) end
  end
  if task.resume ~= '' then gone[#gone + 1] = deadline(tonumber(task.resume), 'r', task.id) end
  task.status = status
  local at, added = emit(task, kind, detail), {}
  if task.hidden ~= '1' then
    gone[#gone + 1] = live(task)
    added[1] = ended(task)
  else
    -- Nobody lists a foreground call, so it is kept only for those who still fetch its end.
    local kept = at - task.created + HIDDEN_KEPT_MS
    local ttl = tonumber(task.ttl)
    if not ttl or kept < ttl then
      if ttl then gone[#gone + 1] = deadline(task.created + ttl, 't', task.id) end
      task.ttl = whole(kept)
      added[1] = deadline(task.created + kept, 't', task.id)
    end
  end
  unindex(gone)
  index(added)
  if count(task.scope, -1) <= 0 then call('HDEL', OPEN, task.scope) end
  call('HSET', key(task.id), 'status', status, 'updated', whole(at), 'finished', whole(at), 'open', 0, 'worker', '',
    'claimed', '', 'entry', '', 'resume', '', 'ttl', task.ttl, 'log', task.log, ...)
  if entry ~= '' then try('XDEL', P .. 'ready:' .. task.tool, entry) end
  if task.worker ~= '' then try('SREM', P .. 'held:' .. task.worker, task.id) end
end
