-- Brings a namespace from layout 1 to layout 2, some tasks at each call; another process may go on where one died.
-- KEYS: 2 what keys of layout 1 begin with
-- ARGV: the new epoch, then keys of layout 1 (without what they begin with) that are named by labels
-- Returns: {'done'} | {'more'} | {'busy', worker}
local O, META = KEYS[2], KEYS[2] .. 'meta'
local AT_ONCE = 200

-- What an old process that still runs finds in place of the keys that each of its verbs reads or writes first: it is
-- refused by their type, where nothing at all would look to it like an empty namespace. No task lives longer.
local MOVED, MOVED_SECONDS = 'this namespace has layout 2: upgrade mcptask', '604800'
local function bar(name, seconds)
  call('UNLINK', O .. name)
  call('SET', O .. name, MOVED, 'EX', seconds or MOVED_SECONDS)
end

-- The log and the changes of the tools stay streams: an old process waits on these for ever, whatever it is answered. What
-- is said there wakes those that wait for a task, or for the tools, so that they look and are refused.
local OLD_EVENTS = '10000'
local function tell(name, ...)
  call('XADD', O .. name, 'MAXLEN', '~', OLD_EVENTS, '*', ...)
  call('EXPIRE', O .. name, MOVED_SECONDS)
end

local function tell_of(task)
  if task.is_final then return end
  tell('events', 'kind', 'requeued', 'at', whole(now()), 'task', task.id, 'tool', task.tool, 'session', task.session,
    'scope', task.scope, 'hidden', task.hidden, 'status', task.status, 'detail', cjson.encode({ reason = MOVED }))
end

local function move(from, to)
  if call('EXISTS', O .. from) == 1 then call('RENAME', O .. from, P .. to) end
end

local function move_and_bar(from, to)
  move(from, to)
  bar(from)
end

local function begin()
  local living = call('ZRANGEBYSCORE', O .. 'workers', '(' .. now(), '+inf', 'LIMIT', 0, 1)
  if living[1] then return { 'busy', living[1] } end
  call('HSET', META, 'layout', '2', 'epoch', ARGV[1], 'migrating', '1')
  local workers = call('ZRANGE', O .. 'workers', 0, -1)
  for _, worker in ipairs(workers) do
    move('worker:' .. worker .. ':tasks', 'held:' .. worker)
    call('UNLINK', O .. 'worker:' .. worker)
    call('ZADD', P .. 'leases', 0, worker)
  end
  for _, name in ipairs({ 'events', 'tools:changes' }) do move(name, name) end
  tell('tools:changes', 'changed', '1')
  move_and_bar('tools', 'tools')
  bar('unfinished')
  bar('workers')
  bar('scope:anonymous')
  for at = 2, #ARGV do
    local session = string.match(ARGV[at], '^session:(.*):log$')
    if not session then
      move_and_bar(ARGV[at], ARGV[at])
    elseif call('TYPE', O .. ARGV[at]).ok == 'stream' then
      -- The index of a session whose label ends so has the same name, and goes with its tasks.
      move_and_bar(ARGV[at], 'log:' .. session)
    end
  end
end

-- The ids of a task's events, in the places where layout 2 has them.
local function history(id)
  local chunk = ''
  for _, entry in ipairs(call('XRANGE', O .. 'task:' .. id .. ':log', '-', '+')) do
    chunk = chunk == '' and entry[1] or chunk .. ' ' .. entry[1]
    if #chunk > RECENT_BYTES then
      call('RPUSH', P .. 'history:' .. id, chunk)
      chunk = ''
    end
  end
  return chunk
end

-- How long a task's record is barred: until the task would have ended for an old process, too, and for an hour at least,
-- since nobody may have looked for the end of its ttl.
local BARRED_SECONDS = 3600
local function left(task)
  local ends = at_ends().end_of_ttl(task)
  if not ends then return MOVED_SECONDS end
  local seconds = math.ceil((ends - now()) / 1000)
  return whole(math.max(BARRED_SECONDS, math.min(seconds, tonumber(MOVED_SECONDS))))
end

-- What layout 2 has in one field. It gives each label a line, and layout 1 took any text.
local function labels_of(key)
  local v = call('HMGET', key, 'hidden', 'tool', 'session', 'scope')
  if not (v[2] and v[4]) then return '' end
  local function line(text) return (string.gsub(text, '\n', ' ')) end
  return (v[1] == '1' and '1' or '0') .. line(v[2]) .. '\n' .. line(v[3] or '') .. '\n' .. line(v[4])
end

local function move_task(id)
  local key = P .. 'task:' .. id
  move('task:' .. id, 'task:' .. id)
  local resume = call('ZSCORE', O .. 'deadlines', 'd:' .. id)
  call('HSET', key, 'log', history(id), 'resume', resume and tonumber(resume) or '', 'labels', labels_of(key))
  call('HDEL', key, 'hidden', 'tool', 'session', 'scope')
  local task, problem = load_to_end(id)
  if not task then error(problem[2] or problem[1]) end
  -- An old process that answered it a moment ago could not queue it any more.
  if task.status == 'working' and task.worker == '' and task.entry == '' and not task.resume then
    seldom().enqueue(task)
    call('HSET', key, 'entry', task.entry)
  end
  index(members_of(task))
  tell_of(task)
  bar('scope:' .. task.scope)
  if task.session ~= '' then bar('session:' .. task.session) end
  return left(task)
end

local layout = call('HGET', META, 'layout')
if layout == '1' then
  local busy = begin()
  if busy then return busy end
elseif not call('HGET', META, 'migrating') then
  return { 'done' }
end
local tasks = call('ZRANGE', O .. 'tasks', 0, AT_ONCE - 1, 'WITHSCORES')
for at = 1, #tasks, 2 do
  local id = tasks[at]
  -- One that cannot be read stays on the list, where it is shown as what it is.
  local is_moved, seconds = pcall(move_task, id)
  if not is_moved then
    call('ZADD', INDEX, 0, 'i:' .. id, 0, 'l:' .. digits(tonumber(tasks[at + 1])) .. ':' .. id)
  end
  bar('task:' .. id, is_moved and seconds)
  call('UNLINK', O .. 'task:' .. id .. ':log')
  call('ZREM', O .. 'tasks', id)
end
if call('EXISTS', O .. 'tasks') == 1 then return { 'more' } end
for _, name in ipairs({ 'tasks', 'ids', 'deadlines' }) do bar(name) end
for _, status in ipairs({ 'working', 'input_required', 'completed', 'failed', 'cancelled' }) do bar('status:' .. status) end
call('ZADD', INDEX, '0', 'w')
call('HDEL', META, 'migrating')
return { 'done' }
