-- Announces a worker and its tools, and begins its lease.
-- ARGV: worker, lease ms, names (JSON), then for each tool: name, specification (JSON)
-- Returns: {'ok'}
local before = call('ZSCORE', LEASES, ARGV[1])
call('ZADD', LEASES, now() + tonumber(ARGV[2]), ARGV[1])
undone_by(function()
  if before then call('ZADD', LEASES, before, ARGV[1]) else call('ZREM', LEASES, ARGV[1]) end
end)
local changed = false
for at = 4, #ARGV, 2 do
  local known = call('HGET', TOOLS, ARGV[at])
  if known ~= ARGV[at + 1] then
    call('HSET', TOOLS, ARGV[at], ARGV[at + 1])
    undone_by(function()
      if known then call('HSET', TOOLS, ARGV[at], known) else call('HDEL', TOOLS, ARGV[at]) end
    end)
    changed = true
  end
  -- An error means that the group is there, or that the queue is none, which each claim says.
  try('XGROUP', 'CREATE', P .. 'ready:' .. ARGV[at], 'workers', '0', 'MKSTREAM')
end
if changed then tools_changed() end
call('SET', P .. 'worker:' .. ARGV[1], ARGV[3])
return { 'ok' }
