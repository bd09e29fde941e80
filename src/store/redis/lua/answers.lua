-- Reads the answers to questions at consecutive positions.
-- ARGV: id, attempt, first, count
-- Returns: {'ok', answer (JSON), at...} | {'open'} | {'no_task'} | {'lost', now}
local task = load(ARGV[1])
local refusal = refused(task, ARGV[2])
if refusal then return refusal end
local fields = {}
for position = tonumber(ARGV[3]), ARGV[3] + ARGV[4] - 1 do
  fields[#fields + 1] = 'a' .. position
  fields[#fields + 1] = 'a' .. position .. '.at'
end
local reply = { 'ok' }
for _, value in ipairs(#fields > 0 and redis.call('HMGET', key(task.id), unpack(fields)) or {}) do
  if not value then return { 'open' } end
  reply[#reply + 1] = value
end
return reply
