-- What time has brought. Workers whose lease ended and who hold nothing are forgotten here, and so is what would be
-- due of tasks or questions that are not there: it would be due for ever.
-- ARGV: most of each kind
-- Returns: {{kind, id, position or ''}...}, {id, attempt, worker}..., {name, problem}..., ms until something else is
--          due or -1, workers whose lease ended and of whom it is not known what they hold...
local at, most = now(), tonumber(ARGV[1])
local due, claims, bad, unknown = {}, {}, {}, {}

-- What is found in a sorted set; nothing where it is none, which harms nothing else that is due.
local function range(name, kind, ...)
  local found = typed(kind, P .. name, ...)
  if not found then bad[#bad + 1] = { name, 'the key is a ' .. call('TYPE', P .. name).ok .. ', not a zset' } end
  return found or {}
end

-- Whether a deadline still stands, by what its task says.
local function stands(kind, id, position, time)
  local task, values = load(id, 'resume', 'q' .. position .. '.until', 'a' .. position .. '.at')
  if not task then
    if values[1] == 'unreadable' then bad[#bad + 1] = { id, values[2] } end
    -- It can be deleted all the same.
    return kind == 't'
  end
  if kind == 't' then return true end
  if is_final(task.status) then return false end
  if kind == 'r' then return tonumber(values[13] or '') == time end
  return tonumber(values[14] or '') == time and not values[15]
end

for _, member in ipairs(range('index', 'ZRANGEBYLEX', '[d:', '(d:' .. digits(at + 1), 'LIMIT', 0, most)) do
  local time, kind, rest = string.match(member, '^d:(%d+):(%a):(.*)$')
  local id, position = rest or '', ''
  if kind == 'q' then id, position = string.match(rest, '^(.*):(%d+)$') end
  if id and kind and stands(kind, id, position, tonumber(time)) then
    due[#due + 1] = { kind, id, position }
  else
    call('ZREM', INDEX, member)
  end
end

-- Brings the tasks of a worker whose lease ended; one who holds none is forgotten.
local function take_over(worker)
  local held = P .. 'held:' .. worker
  if typed('SISMEMBER', held, '') ~= 1 then
    unknown[#unknown + 1] = worker
    return
  end
  for _, id in ipairs(call('SRANDMEMBER', held, most + 1)) do
    local values = id ~= '' and try('HMGET', P .. 'task:' .. id, 'attempt', 'worker')
    if values and not values.err and values[1] and values[2] == worker then
      claims[#claims + 1] = { id, values[1], worker }
    elseif values then
      call('SREM', held, id)
    end
  end
  if call('SCARD', held) == 1 then
    call('ZREM', P .. 'leases', worker)
    call('DEL', P .. 'worker:' .. worker, held)
  end
end

for _, worker in ipairs(range('leases', 'ZRANGEBYSCORE', '-inf', at, 'LIMIT', 0, most)) do
  take_over(worker)
  if #claims >= most then break end
end
local next = -1
local member = (typed('ZRANGEBYLEX', INDEX, '[d:' .. digits(at + 1), '(d;', 'LIMIT', 0, 1) or {})[1]
if member then next = tonumber(string.match(member, '^d:(%d+)')) - at end
local lease = (typed('ZRANGEBYSCORE', P .. 'leases', '(' .. at, '+inf', 'WITHSCORES', 'LIMIT', 0, 1) or {})[2]
if lease and (next < 0 or tonumber(lease) - at < next) then next = tonumber(lease) - at end
return { due, claims, bad, next, unknown }
