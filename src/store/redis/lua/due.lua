-- What time has brought. Workers whose lease ended and who hold nothing are forgotten here, and so is what would be
-- due of tasks or questions that are not there: it would be due for ever.
-- ARGV: most of each kind
-- Returns: {{kind, id, position or ''}...}, {id, attempt, worker}..., {name, problem}..., ms until something else is
--          due or -1
local at, most = now(), tonumber(ARGV[1])
local due, claims, bad = {}, {}, {}

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

for _, member in ipairs(call('ZRANGEBYLEX', INDEX, '[d:', '(d:' .. digits(at + 1), 'LIMIT', 0, most)) do
  local time, kind, rest = string.match(member, '^d:(%d+):(%a):(.*)$')
  local id, position = rest or '', ''
  if kind == 'q' then id, position = string.match(rest, '^(.*):(%d+)$') end
  if id and kind and stands(kind, id, position, tonumber(time)) then
    due[#due + 1] = { kind, id, position }
  else
    call('ZREM', INDEX, member)
  end
end
for _, worker in ipairs(call('ZRANGEBYSCORE', P .. 'leases', '-inf', at, 'LIMIT', 0, most)) do
  local held = P .. 'held:' .. worker
  local tasks = try('SRANDMEMBER', held, most)
  if tasks.err then
    bad[#bad + 1] = { worker, 'what it holds is a ' .. call('TYPE', held).ok .. ', not a set' }
    tasks = {}
  end
  local left = 0
  for _, id in ipairs(tasks) do
    local values = try('HMGET', P .. 'task:' .. id, 'attempt', 'worker')
    if not values.err and values[1] and values[2] == worker then
      claims[#claims + 1] = { id, values[1], worker }
      left = left + 1
    else
      call('SREM', held, id)
    end
  end
  if left == 0 then
    call('ZREM', P .. 'leases', worker)
    call('DEL', P .. 'worker:' .. worker)
    if #tasks == 0 then call('DEL', held) end
  end
  if #claims >= most then break end
end
local next = -1
local member = call('ZRANGEBYLEX', INDEX, '[d:' .. digits(at + 1), '(d;', 'LIMIT', 0, 1)[1]
if member then next = tonumber(string.match(member, '^d:(%d+)')) - at end
local lease = call('ZRANGEBYSCORE', P .. 'leases', '(' .. at, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)[2]
if lease and (next < 0 or tonumber(lease) - at < next) then next = tonumber(lease) - at end
return { due, claims, bad, next }
