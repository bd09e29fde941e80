-- More of what `prelude.lua` has, for the scripts that know the archive: tasks whose ttl has ended, for operators alone.

-- Runs a command about the archive's members. Where somebody left a key of another type, it is made anew.
local function in_archive(command, ...)
  local reply = try(command, P .. 'archive', ...)
  if type(reply) ~= 'table' or not reply.err then return reply end
  seldom().own('archive', 'zset', reply)
  return call(command, P .. 'archive', ...)
end

-- Whoever gave a member another score took the order of all: ours get theirs back, and what is none of ours goes.
local function order_archive()
  for _, side in ipairs({ { '-inf', '(0' }, { '(0', '+inf' } }) do
    for _, member in ipairs(in_archive('ZRANGEBYSCORE', side[1], side[2], 'LIMIT', '0', WORDS)) do
      if string.find(member, '^[bitu]:') then
        call('ZADD', P .. 'archive', '0', member)
      else
        call('ZREM', P .. 'archive', member)
      end
    end
  end
end

-- The newest events of a task as one text, JSON, newest first. What a question asks stands in the record already.
local function events_of(task)
  local ids, entries, bytes = {}, {}, 0
  local parts = typed('LRANGE', P .. 'history:' .. task.id, '0', '-1') or {}
  parts[#parts + 1] = task.log
  for _, part in ipairs(parts) do
    for id in string.gmatch(part, '%S+') do ids[#ids + 1] = id end
  end
  for at = #ids, math.max(1, #ids - 999), -1 do
    local found = try('XRANGE', EVENTS, ids[at], ids[at])
    local entry = not found.err and found[1]
    if entry then
      local fields = entry[2]
      for name = 1, #fields, 2 do
        if fields[name] == 'detail' and fields[2] == 'asked' then fields[name + 1] = '' end
        bytes = bytes + #fields[name + 1]
      end
      if bytes > 1048576 then break end
      entries[#entries + 1] = entry
    end
  end
  return #entries > 0 and cjson.encode(entries) or ''
end

-- Takes a task out of the archive, with all members that it has there; returns its bytes.
local function leave_archive(id)
  local start, left = 'i:' .. id .. ':', 0
  for _, member in ipairs(in_archive('ZRANGEBYLEX', '[' .. start, '(i:' .. id .. ';')) do
    local bytes, created, ends = string.match(string.sub(member, #start + 1), '^(%d+):(%d+):(%d+)$')
    if bytes then
      call('ZREM', P .. 'archive', member, 't:' .. created .. ':' .. id, 'u:' .. ends .. ':' .. id)
      left = left + bytes
    end
  end
  call('UNLINK', P .. 'archived:' .. id)
  return left
end

-- How long those archive tasks, and how many bytes of them, that were not told: as the one says who keeps them longest.
-- Nothing where nobody has said anything for a day.
local function said_retention()
  local said, at, ms, bytes = typed('HGETALL', P .. 'keep') or {}, now(), nil, nil
  for field = 1, #said, 2 do
    local long, most = string.match(said[field], '^(%d+):(%d+)$')
    local is_late = (tonumber(said[field + 1]) or 0) + SAID_MS <= at
    if long and not is_late and (not ms or long + 0 > ms) then ms, bytes = long + 0, most + 0 end
  end
  return ms, bytes
end

-- Adds to the bytes of the archive, then takes some tasks out of it: those whose time is over, and while it has more
-- than `most` bytes those that would go soonest.
local function bound_archive(added, most, at)
  order_archive()
  local notes, bytes = in_archive('ZRANGEBYLEX', '[b:', '(b;'), 0
  for _, note in ipairs(notes) do bytes = bytes + (tonumber(string.match(note, '^b:(%d+)$') or '') or 0) end
  bytes = bytes + added
  local is_over, is_early = true, false
  for _ = 1, 25 do
    local members = in_archive('ZRANGEBYLEX', '[u:', '(u;', 'LIMIT', '0', '20')
    for _, member in ipairs(members) do
      local ends, id = string.match(member, '^u:(%d+):(.+)$')
      is_over = not ends or bytes > most or tonumber(ends) <= at
      if not is_over then break end
      is_early = is_early or ends and tonumber(ends) > at
      call('ZREM', P .. 'archive', member)
      if id then bytes = bytes - leave_archive(id) end
    end
    if not is_over or #members == 0 then break end
  end
  if is_early then try('SET', P .. 'archive:forgot', whole(at), 'PX', DAMAGED_MS) end
  seldom().many('ZREM', P .. 'archive', notes)
  if call('EXISTS', P .. 'archive') == 1 then
    call('ZADD', P .. 'archive', '0', 'b:' .. string.format('%.0f', math.max(0, bytes)))
  end
end

-- Moves a task's record to the archive for that long; returns its bytes there. The caller takes it off the index and
-- then bounds the archive.
local function archive(task, kept_ms, at)
  local events, record = events_of(task), P .. 'archived:' .. task.id
  local ends = math.min(at + kept_ms, LAST_MS)
  local key = P .. 'task:' .. task.id
  call('RENAME', key, record)
  undo = { undo, function()
    call('PERSIST', record)
    call('HDEL', record, 'events', 'expired', 'until')
    call('RENAME', record, key)
  end }
  call('HSET', record, 'events', events, 'expired', whole(at), 'until', whole(ends))
  call('PEXPIRE', record, whole(ends - at))
  local bytes = 300
  for _, part in ipairs(call('HGETALL', record)) do bytes = bytes + #part end
  local member = 'i:' .. task.id .. ':' .. whole(bytes) .. ':' .. digits(task.created + 0) .. ':' .. digits(ends)
  local by_time, by_end = 't:' .. digits(task.created + 0) .. ':' .. task.id, 'u:' .. digits(ends) .. ':' .. task.id
  undo = { undo, function() try('ZREM', P .. 'archive', member, by_time, by_end) end }
  in_archive('ZADD', '0', member, '0', by_time, '0', by_end)
  return bytes
end
