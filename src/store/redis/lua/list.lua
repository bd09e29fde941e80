-- A page of tasks by creation.
-- ARGV: index, oldest first 0|1, after ms or '', after id or '', most, hidden too 0|1,
--       scope, session, status, tool ('' for any)
-- Returns: {hash...}, next ms or '', next id or ''
local index, oldest, most = P .. ARGV[1], ARGV[2] == '1', tonumber(ARGV[5])
-- A filter that admits little must not keep the server busy: the caller goes on from where this ends.
local EXAMINED, PAGE = 5000, 200
local found, examined, offset = {}, 0, 0
local wanted = { scope = ARGV[7], session = ARGV[8], status = ARGV[9], tool = ARGV[10] }

local function admitted(task)
  if not task or (task.hidden == '1' and ARGV[6] == '0') then return false end
  for name, value in pairs(wanted) do
    if value ~= '' and task[name] ~= value then return false end
  end
  return true
end

local function is_past(millis, id)
  if ARGV[3] == '' or millis ~= tonumber(ARGV[3]) then return true end
  if oldest then return id > ARGV[4] end
  return id < ARGV[4]
end

local millis, id = '', ''
while true do
  local page
  if oldest then
    page = redis.call('ZRANGEBYSCORE', index, ARGV[3] == '' and '-inf' or ARGV[3], '+inf', 'WITHSCORES',
      'LIMIT', offset, PAGE)
  else
    page = redis.call('ZREVRANGEBYSCORE', index, ARGV[3] == '' and '+inf' or ARGV[3], '-inf', 'WITHSCORES',
      'LIMIT', offset, PAGE)
  end
  for entry = 1, #page, 2 do
    local next_id, next_millis = page[entry], tonumber(page[entry + 1])
    if is_past(next_millis, next_id) then
      if #found == most or examined == EXAMINED then return { found, millis, id } end
      examined, millis, id = examined + 1, string.format('%.0f', next_millis), next_id
      if admitted(load(next_id)) then found[#found + 1] = redis.call('HGETALL', key(next_id)) end
    end
  end
  if #page < 2 * PAGE then return { found, '', '' } end
  offset = offset + PAGE
end
