-- What time has brought. Workers whose lease ended and who hold nothing are forgotten here, and so is what would be
-- due of tasks or questions that are not there: it would be due for ever. A task of a dead worker that cannot be read is
-- taken from it and stays for people. What nobody can settle is not known here: each call goes on behind what the one
-- before brought, so that everything gets its turn.
-- ARGV: most of each kind, the member of the index behind which to look or '', how many dead workers to pass over
-- Returns: {{kind, id, position or ''}...}, {id, attempt, worker}..., {name, problem}..., ms until something else is
--          due or -1, workers whose lease ended and of whom it is not known what they hold..., where the next call goes
--          on: member or '', workers, whether the index was lost 0|1
local at, most, passed = now(), tonumber(ARGV[1]), tonumber(ARGV[3])
local due, claims, bad, unknown = {}, {}, {}, {}

-- What is found in a sorted set; nothing where it is none, which harms nothing else that is due.
local function range(name, kind, ...)
  local found = typed(kind, P .. name, ...)
  if not found then bad[#bad + 1] = { name, 'the key is a ' .. call('TYPE', P .. name).ok .. ', not a zset' } end
  return found or {}
end

-- Whether a ttl ends at that time by what its task says. Where it ends at another one, that is noted instead.
local function ends(task, ttl, time)
  local kept = seldom().within(ttl, LAST_MS)
  if not kept then
    if (ttl or '') ~= '' then bad[#bad + 1] = { task.id, 'its ttl is no number that it can be' } end
    return false
  end
  if task.created + kept == time then return true end
  call('ZADD', INDEX, '0', 'd:' .. digits(task.created + kept) .. ':t:' .. task.id)
  return false
end

-- Whether a deadline still stands, by what its task says.
local function stands(kind, id, position, time)
  local q, a = 'q' .. position, 'a' .. position
  local task, values = load(id, 'resume', q .. '.until', a .. '.at', a, 'ttl', q .. '.remind')
  if not task then
    if values[1] == 'unreadable' then bad[#bad + 1] = { id, values[2] } end
    -- It can be deleted all the same.
    return kind == 't'
  end
  if kind == 't' then return ends(task, values[14], time) end
  if task.is_final then return false end
  if kind == 'r' then return tonumber(values[10] or '') == time end
  if kind == 'm' then
    return tonumber(values[15] or '') == time and (values[12] or '') == '' and (values[13] or '') == ''
  end
  if tonumber(values[11] or '') ~= time or (values[12] or '') ~= '' then return false end
  if (values[13] or '') ~= '' then
    bad[#bad + 1] = { id, 'its question ' .. position .. ' has an answer that nobody gave at any time' }
    return false
  end
  return true
end

local from = ARGV[2] == '' and '[d:' or '(' .. ARGV[2]
local to, behind = '(d:' .. digits(at + 1), ''
-- An index that is out of order has anything there; it is made anew first.
local members, is_whole = {}, not is_out_of_order()
if is_whole then
  members = range('index', 'ZRANGEBYLEX', from, to, 'LIMIT', 0, most)
  if #members == 0 and ARGV[2] ~= '' then members = range('index', 'ZRANGEBYLEX', '[d:', to, 'LIMIT', 0, most) end
end
for _, member in ipairs(members) do
  local time, kind, rest = string.match(member, '^d:(%d+):([tqrm]):(.*)$')
  local id, position = rest or '', ''
  if kind == 'q' or kind == 'm' then id, position = string.match(rest, '^(.*):([1-9]%d*)$') end
  -- Only what can be an id can be settled.
  if id and string.find(id, '^[!-~]+$') and stands(kind, id, position, tonumber(time)) then
    due[#due + 1] = { kind, id, position }
  else
    call('ZREM', INDEX, member)
  end
end
if #members == most then behind = members[most] end

-- Brings some tasks of a worker whose lease ended; one who holds none is forgotten, which is what is returned.
local function take_over(worker, some)
  local held = P .. 'held:' .. worker
  if typed('SISMEMBER', held, '') ~= 1 then
    unknown[#unknown + 1] = worker
    return false
  end
  for _, id in ipairs(call('SRANDMEMBER', held, some + 1)) do
    if id ~= '' then
      local task, problem = load(id)
      if task and task.worker == worker then
        claims[#claims + 1] = { id, task.attempt, worker }
      else
        call('SREM', held, id)
        if problem[1] == 'unreadable' then bad[#bad + 1] = { id, problem[2] } end
      end
    end
  end
  if call('SCARD', held) > 1 then return false end
  call('ZREM', P .. 'leases', worker)
  call('DEL', P .. 'worker:' .. worker, P .. 'about:' .. worker, held)
  return true
end

-- Each of them gets its share, so that none whose tasks nobody can take keeps those of the others.
local dead = range('leases', 'ZRANGEBYSCORE', '-inf', at, 'LIMIT', passed, most)
for place, worker in ipairs(dead) do
  if not take_over(worker, math.max(1, math.floor((most - #claims) / (#dead - place + 1)))) then passed = passed + 1 end
end
if #dead < most then passed = 0 end
local next = -1
local member = (typed('ZRANGEBYLEX', INDEX, '[d:' .. digits(at + 1), '(d:;', 'LIMIT', 0, 1) or {})[1]
local time = member and tonumber(string.match(member, '^d:(%d+)') or '')
if time then next = time - at end
local lease = (typed('ZRANGEBYSCORE', P .. 'leases', '(' .. at, '+inf', 'WITHSCORES', 'LIMIT', 0, 1) or {})[2]
if lease and (next < 0 or tonumber(lease) - at < next) then next = math.ceil(tonumber(lease) - at) end
if behind ~= '' or passed > 0 then next = 0 end
return { due, claims, bad, next, unknown, behind, passed, is_whole and typed('ZSCORE', INDEX, 'w') and 0 or 1 }
