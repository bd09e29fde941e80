-- Announces a worker and its tools, and begins its lease.
-- ARGV: worker, lease ms, names (JSON), then for each tool: name, specification (JSON)
redis.call('ZADD', P .. 'workers', now() + tonumber(ARGV[2]), ARGV[1])
redis.call('SET', P .. 'worker:' .. ARGV[1], ARGV[3])
local changed = false
for at = 4, #ARGV, 2 do
  if redis.call('HGET', P .. 'tools', ARGV[at]) ~= ARGV[at + 1] then
    redis.call('HSET', P .. 'tools', ARGV[at], ARGV[at + 1])
    changed = true
  end
end
if changed then tools_changed() end
return { 'ok' }
