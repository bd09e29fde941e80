-- Stands before every script of this folder.
--
-- KEYS[1] is the namespace's prefix, `mcptask:{NAMESPACE}:`. Every key begins with it, so one hash tag puts
-- a namespace on one shard of a cluster, where scripts may touch all of its keys.
--
--   task:ID            hash    the task: `new` (JSON), its parts that scripts need, and the journal:
--                              qN (JSON), qN.at, qN.until (ms), qN.sum, aN (JSON), aN.at (ms)
--   task:ID:log        stream  the task's events, with the same ids as in `events`
--   session:S:log      stream  the session's events, likewise
--   events             stream  all events
--   ready:TOOL         stream  unclaimed tasks; an entry is deleted when its task is claimed
--   ids                zset    all task ids, by name: what prefixes are looked up in
--   tasks, scope:S, session:S, status:S
--                      zset    task ids by creation (ms)
--   unfinished         hash    scope -> number of tasks that are not final
--   deadlines          zset    `t:ID` (ttl), `q:ID:N` (question) and `d:ID` (delay) by when they are due (ms)
--   tools              hash    name -> specification (JSON)
--   tools:changes      stream  one entry, of the last change of `tools`: tails wait on it beside `events`
--   source:S           set     the tools that a source, such as a file of one machine, has offered
--   workers            zset    worker ids by the end of their lease (ms); 0 when dismissed
--   worker:W           string  its tools' names (JSON)
--   worker:W:tasks     set     the tasks that it holds
--   meta               hash    layout
local P = KEYS[1]
local LOG_EVENTS, TASK_EVENTS, SESSION_EVENTS = 1000000, 10000, 100000
local SESSION_LOG_MS = 604800000
-- The end of the year 9999, the last time that timestamps can say.
local LAST_MS = 253402207200999

local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function key(id)
  return P .. 'task:' .. id
end

local PARTS = { 'status', 'worker', 'attempt', 'tool', 'session', 'scope', 'hidden', 'created',
  'open', 'asked', 'failures', 'most', 'ttl', 'entry' }

-- The parts of a task that transitions need; nil when there is no such task.
local function load(id)
  local values = redis.call('HMGET', key(id), unpack(PARTS))
  if not values[1] then return nil end
  local task = { id = id }
  for at, name in ipairs(PARTS) do task[name] = values[at] or '' end
  for _, name in ipairs({ 'attempt', 'created', 'open', 'asked', 'failures', 'most' }) do
    task[name] = tonumber(task[name]) or 0
  end
  return task
end

local function is_final(status)
  return status == 'completed' or status == 'failed' or status == 'cancelled'
end

-- nil when `attempt` may write for the task, else the reply that refuses it.
local function refused(task, attempt)
  if not task then return { 'no_task' } end
  if is_final(task.status) then return { 'lost', 'the task is ' .. task.status } end
  if task.attempt ~= tonumber(attempt) then
    return { 'lost', 'the task was claimed again, attempt ' .. task.attempt }
  end
  if task.worker == '' then return { 'lost', 'the task went back to the queue' } end
  return nil
end

-- Appends one event: to the log, to the task's own, and to its session's.
local function emit(task, at, kind, detail, ...)
  local fields = { 'kind', kind, 'at', at, 'task', task.id, 'tool', task.tool, 'session', task.session,
    'scope', task.scope, 'hidden', task.hidden, 'status', task.status, 'detail', detail, ... }
  local id = redis.call('XADD', P .. 'events', 'MAXLEN', '~', LOG_EVENTS, '*', unpack(fields))
  if kind ~= 'expired' then
    redis.call('XADD', key(task.id) .. ':log', 'MAXLEN', '~', TASK_EVENTS, id, unpack(fields))
  end
  if task.session ~= '' then
    local log = P .. 'session:' .. task.session .. ':log'
    redis.call('XADD', log, 'MAXLEN', '~', SESSION_EVENTS, id, unpack(fields))
    redis.call('PEXPIRE', log, SESSION_LOG_MS)
  end
end

local function tools_changed()
  redis.call('XADD', P .. 'tools:changes', 'MAXLEN', 1, '*', 'changed', 1)
end

local function set_status(task, status)
  if task.status ~= status then
    redis.call('ZREM', P .. 'status:' .. task.status, task.id)
    redis.call('ZADD', P .. 'status:' .. status, task.created, task.id)
    redis.call('HSET', key(task.id), 'status', status)
    task.status = status
  end
end

local function enqueue(task)
  local entry = redis.call('XADD', P .. 'ready:' .. task.tool, '*', 'task', task.id)
  redis.call('HSET', key(task.id), 'entry', entry)
end

local function unqueue(task)
  if task.entry ~= '' then
    redis.call('XDEL', P .. 'ready:' .. task.tool, task.entry)
    redis.call('HDEL', key(task.id), 'entry')
  end
end

local function release(task)
  if task.worker ~= '' then
    redis.call('SREM', P .. 'worker:' .. task.worker .. ':tasks', task.id)
    redis.call('HDEL', key(task.id), 'worker', 'claimed')
  end
end

-- Open questions close unanswered when their task ends.
local function close_questions(task)
  if task.open > 0 then
    for position = 1, task.asked do
      redis.call('ZREM', P .. 'deadlines', 'q:' .. task.id .. ':' .. position)
    end
    redis.call('HSET', key(task.id), 'open', 0)
  end
end

-- What every end has in common.
local function finish(task, at, status)
  close_questions(task)
  unqueue(task)
  redis.call('ZREM', P .. 'deadlines', 'd:' .. task.id)
  release(task)
  set_status(task, status)
  redis.call('HSET', key(task.id), 'updated', at, 'finished', at)
  redis.call('HINCRBY', P .. 'unfinished', task.scope, -1)
end
