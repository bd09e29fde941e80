-- Forgets tools that no worker with a lease offers, and ends their tasks that no worker holds.
-- ARGV: outcome (JSON), event detail (JSON), tool...
-- Returns: {'ok'}
local at = now()
local offered = {}
for _, worker in ipairs(redis.call('ZRANGEBYSCORE', P .. 'workers', '(' .. string.format('%.0f', at), '+inf')) do
  local names = redis.call('GET', P .. 'worker:' .. worker)
  for _, name in ipairs(names and cjson.decode(names) or {}) do offered[name] = true end
end
local gone = {}
for index = 3, #ARGV do
  if not offered[ARGV[index]] then
    gone[ARGV[index]] = true
    redis.call('HDEL', P .. 'tools', ARGV[index])
  end
end
if not next(gone) then return { 'ok' } end
tools_changed()
-- Queued, delayed and parked tasks are all in one of these two; a change of the configuration is rare enough
-- for a look at each of them.
for _, status in ipairs({ 'working', 'input_required' }) do
  for _, id in ipairs(redis.call('ZRANGE', P .. 'status:' .. status, 0, -1)) do
    local task = load(id)
    if task and gone[task.tool] and task.worker == '' then
      redis.call('HSET', key(task.id), 'outcome', ARGV[1])
      finish(task, at, 'failed')
      emit(task, at, 'failed', ARGV[2])
    end
  end
end
return { 'ok' }
