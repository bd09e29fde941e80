-- Stands before every script of this folder, whose text is the body of a function that `epilogue.lua` calls. Of the
-- functions here, which are parted by empty lines, a script gets those that it uses (`scripts.rs`).
--
-- KEYS[1] is what keys of this layout begin with, `mcptask:{NAMESPACE}:2:`. One hash tag puts
-- a namespace on one shard of a cluster, where scripts may touch all of its keys. Text that users choose stands
-- last in a key, so that no label can spell another label's key.
--
--   meta               hash    layout; epoch, another one after the data was lost. It alone stands under
--                              `mcptask:{NAMESPACE}:`, for programs of every layout
--   task:ID            hash    the task: `new` (JSON), its parts that scripts need, and the journal:
--                              qN (JSON), qN.at, qN.until (ms), qN.remind (ms, until it came), qN.sum, aN (JSON), aN.at (ms);
--                              labels: whether it is hidden 0|1, directly its tool, then its session or '' and its
--                              scope, each on a line of its own; its events repeat them as they are;
--                              log: the ids of its latest events
--   history:ID         list    the ids of its earlier events, some dozens in each item
--   events             stream  all events
--   log:SESSION        stream  the ids of the session's events
--   ready:TOOL         stream  unclaimed tasks; an entry is deleted when its task is claimed. Its consumer group
--                              `workers` only wakes one of those who wait: nothing is ever pending in it
--   index              zset    members of score 0, in the order of their letters (TIME: 15 digits of ms):
--                                i:ID                        every task
--                                l:CREATED:ID                not final; `h:` in its place for a hidden task, for ever
--                                u:SCOPE\nCREATED:ID         not final, hidden or not: by these a scope's tasks are counted
--                                a:CREATED:ID                with an open question
--                                e:STATUS:CREATED:ID         final
--                                o:SCOPE\nCREATED:ID         of a scope that is not anonymous
--                                s:SESSION\nCREATED:ID       of a session
--                                d:TIME:t:ID, d:TIME:q:ID:N, d:TIME:m:ID:N, d:TIME:r:ID
--                                                            when a ttl ends, a question times out, people are
--                                                            reminded of it, a delay is over
--                                w                           in every index: one that lacks it was lost, and so was one
--                                                            in which another program gave a member another score
--   tools              hash    name -> specification (JSON)
--   tools:changes      stream  one entry, of the last change of `tools`: tails wait on it beside `events`
--   source:SOURCE      set     the tools that a source, such as a file of one machine, has offered
--   leases             zset    worker ids by the end of their lease (ms); 0 when dismissed
--   worker:WORKER      string  its tools' names (JSON)
--   about:WORKER       hash    what it says of itself: host, process, slots, each '' where it does not, and since (ms). It
--                              ends a day after the last renewal, since older versions do not know of it
--   held:WORKER        set     the tasks that it holds, and '' for as long as the worker is known: a set that lacks it
--                              was lost
--   loss               string  when it was found that `meta` had been lost while tasks were there; kept for seven days
--   archived:ID        hash    an archived task: its record as it was, and `events` (JSON, the newest first), expired,
--                              until (ms). It expires by itself
--   archive            zset    members of score 0: b:BYTES of all archived tasks; and of each
--                                i:ID:BYTES:CREATED:UNTIL, t:CREATED:ID, u:UNTIL:ID
--   archive:forgot     string  when a task was deleted from the archive before its time, for its bytes; for seven days
--   keep               hash    MS:BYTES, as a process archives tasks -> when it last said so (ms); for a day
--   notifiers          set     the names of the notifiers that anybody has held
--   notifier:NAME      hash    who holds it: holder, about, until (ms); its places in the log: events, unanswered; status
--                              (JSON); revision, which grows when somebody else changed what waits
--   deliveries:NAME    hash    what it still has to deliver: id -> JSON
--   undelivered:NAME   hash    what it gave up, likewise
--   link:DIGEST        string  a link (JSON), by the digest of its token. It expires with its task, as does
--   links:ID           hash    a task's links: DIGEST -> PLACE:N, of question N; the task's record then has `links`
--   links              zset    the digests of all links by when they end (ms)
--   damaged            hash    keys that were of another type and were moved to damaged:KEY -> that type
--
-- A script that ends in an error has changed nothing. What can fail is written in this order: first whatever notes in
-- `undo` how it is undone, last the index; what comes after that, the task's own record above all, was read before and
-- cannot fail. `epilogue.lua` undoes what was written before an error. Each step of `undo` is a table: the step before
-- it, then a function, or a key and what was added to it, and where it is no stream the command that takes it away. What must not keep a transition from happening
-- (the session's log, the ready queue of a task that ends) is written by `redis.pcall`.
--
-- Times are the server's clock, never the log's: the ids of a stream never go back, a clock does. Loops go over what is
-- there, never up to a number that was read, and commands with many words are called by some hundred words.
--
-- Tables are built by their constructors, functions are few and numbers go as text: Redis runs this text anew for each
-- call, and formats the numbers that it is given as fractions, which costs more than most commands do. Making a dozen
-- functions costs as much as a command, and several where they have left the processor's caches; so what is seldom
-- needed is made by `seldom` when it is.
local P, call, try = KEYS[1], redis.call, redis.pcall
local INDEX, EVENTS = P .. 'index', P .. 'events'
local LOG_EVENTS, SESSION_EVENTS = '1000000', '100000'
-- Bytes of event ids that a task keeps in its hash, and items of them in its list: about 10,000 events.
local RECENT_BYTES, HISTORY_ITEMS = 640, '-280'
-- The end of the year 9999, the last time that timestamps can say.
local LAST_MS = 253402207200999
-- No task is begun or asks more often.
local MOST_COUNTED = 100000000
-- Words of a command: no more fit on Lua's stack than some thousand.
local WORDS = 500
local DAMAGED_MS = 604800000
local ABOUT_MS = 86400000
local SAID_MS = 86400000
local undo
-- When the latest event of this script happened, as text: no other of that time is ahead of the clock.
local clock

-- What is seldom needed.
local function seldom()
  -- Makes room for a key of ours where somebody left one of another type, or, after an error of a command that writes
  -- to it, where that says so or that a stream takes no entry any more, since it has one with an id at the end of all
  -- ids. Any other error is raised again. What stood there is moved aside for some days, so that people can look at it.
  -- Whether there was something.
  local function own(name, kind, problem)
    local said, found = problem and problem.err or '', nil
    if string.find(said, 'exhausted', 1, true) or string.find(said, 'equal or smaller', 1, true) then
      found = kind .. ' that takes no further entry'
    elseif not problem or string.find(said, 'WRONGTYPE', 1, true) then
      found = call('TYPE', P .. name).ok
    end
    if not found or found == 'none' or found == kind then
      if problem then error(problem, 0) end
      return false
    end
    local aside = P .. 'damaged:' .. name
    call('RENAME', P .. name, aside)
    undo = { undo, function()
      call('PERSIST', aside)
      call('RENAME', aside, P .. name)
      try('HDEL', P .. 'damaged', name)
    end }
    call('PEXPIRE', aside, DAMAGED_MS)
    try('HSET', P .. 'damaged', name, found)
    try('PEXPIRE', P .. 'damaged', DAMAGED_MS)
    return true
  end
  -- A whole number that is not negative and not beyond `most`; nil for everything else.
  local function within(text, most)
    local number = tonumber(text or '')
    if number and number >= 0 and number <= most and number % 1 == 0 then return number end
    return nil
  end
  -- A time of a record as members of the index have it; nil where it is none.
  local function deadline(text)
    local ms = within(text, LAST_MS)
    return ms and string.format('%015d', ms)
  end
  -- Runs a command with many words, some hundred at a time.
  local function many(command, key, words)
    if #words > 0 and #words <= WORDS then return call(command, key, unpack(words)) end
    for first = 1, #words, WORDS do
      call(command, key, unpack(words, first, math.min(first + WORDS - 1, #words)))
    end
  end
  -- The values of many fields of a hash.
  local function fields_of(key, fields)
    local values = {}
    for first = 1, #fields, WORDS do
      local found = call('HMGET', key, unpack(fields, first, math.min(first + WORDS - 1, #fields)))
      for at = 1, #found do values[first + at - 1] = found[at] end
    end
    return values
  end
  -- Appends an event, on a log that may have to be made anew.
  local function append(task, ...)
    local kind, detail = ...
    local id = try('XADD', EVENTS, '*', 'kind', kind, 'task', task.id, 'labels', task.labels, 'status', task.status,
      'detail', detail, select(3, ...))
    if type(id) == 'string' then return id end
    own('events', 'stream', id)
    return append(task, ...)
  end
  -- The reply that refuses to write for a task, since it is not that attempt's.
  local function refused(task, attempt)
    if task.is_final then return { 'lost', 'the task is ' .. task.status } end
    if task.attempt ~= attempt then
      return { 'lost', 'the task was claimed again, attempt ' .. task.attempt }
    end
    return { 'lost', 'the task went back to the queue' }
  end
  -- Queues a task; the caller stores `task.entry`.
  local function enqueue(task)
    local ready = P .. 'ready:' .. task.tool
    local entry = try('XADD', ready, '*', 'task', task.id)
    if type(entry) == 'table' then
      seldom().own('ready:' .. task.tool, 'stream', entry)
      entry = call('XADD', ready, '*', 'task', task.id)
    end
    task.entry = entry
    undo = { undo, ready, entry }
  end
  -- Undoes what was written since a step of `undo`; all of it where that is nil.
  local function take_back(since)
    while undo ~= since do
      local step = undo
      undo = step[1]
      if step[3] then pcall(call, step[4] or 'XDEL', step[2], step[3]) else pcall(step[2]) end
    end
  end
  -- The reply of a script that ended in an error.
  local function refusal(reply)
    if type(reply) == 'table' then return redis.error_reply(reply.err or 'ERR a script ended in an error without words') end
    -- Redis 6 raises errors as texts: `@user_script: 12: WRONGTYPE Operation …`, or with the command's own code after ': -'.
    local said = string.match(reply, ': %-(%u+ .*)') or string.match(reply, '@user_script:%s?%d+: (.*)') or reply
    -- Redis 7 and Valkey say so in words only.
    if string.find(said, 'user executing the script', 1, true) or string.find(said, 'ACL failure in script', 1, true) then
      said = 'NOPERM ' .. said
    end
    if not string.match(said, '^%u%u+ ') then said = 'ERR ' .. said end
    return redis.error_reply(said)
  end
  return { own = own, within = within, deadline = deadline, many = many, fields_of = fields_of, append = append,
    refused = refused, enqueue = enqueue, take_back = take_back, refusal = refusal }
end

-- A whole number as text: most are small, and a digit costs less than a format.
local function whole(number)
  if number >= 0 and number < 10 then return string.char(48 + number) end
  return string.format('%d', number)
end

local function now()
  local time = call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- The reply of a command, nil where the key is of another type.
local function typed(command, ...)
  local reply = try(command, ...)
  if type(reply) ~= 'table' or not reply.err then return reply end
  if not string.find(reply.err, 'WRONGTYPE', 1, true) then error(reply, 0) end
  return nil
end

-- Whether the index has members of another score: who gave it some took the order of its letters, by which all is found.
local function is_out_of_order()
  return (typed('ZCOUNT', INDEX, '-inf', '(0') or 0) > 0 or (typed('ZCOUNT', INDEX, '(0', '+inf') or 0) > 0
end

-- Whether the index is there, and as it was made.
local function has_index()
  return typed('ZSCORE', INDEX, 'w') and not is_out_of_order()
end

-- The names of a worker's tools; nil where they cannot be read.
local function names_of(worker)
  local text = typed('GET', P .. 'worker:' .. worker)
  local read, names = pcall(cjson.decode, text or '')
  return read and type(names) == 'table' and names or nil
end

-- Tells everybody that the list of tools is another one.
local function tell_of_tools()
  local entry = try('XADD', P .. 'tools:changes', 'MAXLEN', '1', '*', 'changed', '1')
  if type(entry) == 'string' then return end
  seldom().own('tools:changes', 'stream', entry)
  tell_of_tools()
end

-- Times in members of the index, so that their letters have their order.
local function digits(ms)
  return string.format('%015d', ms)
end

-- The same of a time that is text, as most are: then nothing has to be read as a number.
local function padded(ms)
  return #ms == 13 and '00' .. ms or string.format('%015d', ms)
end

-- The parts of a task that every transition needs, numbers as text, and the values that were read: further fields begin at `values[10]`.
-- Or nil and the reply that says why not.
local function load(id, ...)
  local v = try('HMGET', P .. 'task:' .. id, 'status', 'worker', 'attempt', 'labels', 'created', 'open', 'asked',
    'entry', 'log', ...)
  if v.err then
    return nil, { 'unreadable', 'its record is a ' .. call('TYPE', P .. 'task:' .. id).ok .. ', not a hash' }
  end
  if not v[1] then
    if call('EXISTS', P .. 'task:' .. id) == 0 then return nil, { 'no_task' } end
    return nil, { 'unreadable', 'its record has no status' }
  end
  local final = v[1] == 'completed' or v[1] == 'failed' or v[1] == 'cancelled'
  -- A newer version may have others, which it is not for this one to change.
  if v[1] ~= 'working' and v[1] ~= 'input_required' and not final then
    return nil, { 'unreadable', 'its status is one that this version does not know' }
  end
  local attempt, labels, created, open, asked = v[3], v[4], v[5], v[6], v[7]
  local found, last, hidden, tool, session, scope
  if attempt and labels and created and open and asked and #attempt < 10 and #open < 10 and #asked < 10 then
    -- One look at all of them, which costs less than one at each.
    found, last, hidden, tool, session, scope = string.find(created .. ' ' .. attempt .. ' ' .. open .. ' ' .. asked .. ' '
      .. labels, '^%d+ %d+ %d+ %d+ ([01])([^\n]+)\n([^\n]*)\n([^\n]+)$')
  end
  if not found or #created > 13 and created + 0 > LAST_MS then
    return nil, { 'unreadable', 'its record lacks a part, or has one that is no number that it can be' }
  end
  local place = (#created == 13 and '00' .. created or string.format('%015d', created)) .. ':' .. id
  return { id = id, status = v[1], is_final = final, worker = v[2] or '', attempt = attempt, labels = labels, tool = tool,
    session = session, scope = scope, hidden = hidden, created = created, place = place, open = open, asked = asked,
    entry = v[8] or '', log = v[9] or '' }, v
end

-- Appends one event and returns the time in ms, as text, which is the transition's. The caller stores `task.log`.
local function emit(task, kind, detail, ...)
  local id = try('XADD', EVENTS, 'MAXLEN', '~', LOG_EVENTS, '*', 'kind', kind, 'task', task.id, 'labels', task.labels,
    'status', task.status, 'detail', detail, ...)
  if type(id) == 'table' then
    seldom().own('events', 'stream', id)
    return emit(task, kind, detail, ...)
  end
  -- The first id of a millisecond has the clock's time. Another one may have that of a log which is ahead of the clock,
  -- because that went back: then the entry says its time itself.
  local is_first = string.sub(id, -2) == '-0'
  local at = is_first and string.sub(id, 1, -3) or string.match(id, '^%d+')
  if not is_first and at ~= clock then
    local time = call('TIME')
    local ms = time[1] * 1000 + math.floor(time[2] / 1000)
    if ms < tonumber(at) then
      call('XDEL', EVENTS, id)
      at = string.format('%d', ms)
      id = seldom().append(task, kind, detail, 'at', at, ...)
    end
  end
  clock = at
  undo = { undo, EVENTS, id }
  if task.session ~= '' then
    local of_session = P .. 'log:' .. task.session
    local added = try('XADD', of_session, 'MAXLEN', '~', SESSION_EVENTS, id, 'e', '')
    if type(added) == 'table' then
      pcall(seldom().own, 'log:' .. task.session, 'stream', added)
      try('XADD', of_session, id, 'e', '')
    end
    undo = { undo, of_session, id }
  end
  local log = task.log == '' and id or task.log .. ' ' .. id
  if #log > RECENT_BYTES then
    try('RPUSH', P .. 'history:' .. task.id, log)
    try('LTRIM', P .. 'history:' .. task.id, HISTORY_ITEMS, '-1')
    log = ''
  end
  task.log = log
  return at
end
