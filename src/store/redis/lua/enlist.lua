-- Announces a worker and its tools, and begins its lease.
-- ARGV: worker, lease ms, names (JSON), then for each tool: name, specification (JSON)
-- Returns: {'ok'}
local before = call('ZSCORE', P .. 'leases', ARGV[1])
call('ZADD', P .. 'leases', now() + tonumber(ARGV[2]), ARGV[1])
undo[#undo + 1] = function()
  if before then call('ZADD', P .. 'leases', before, ARGV[1]) else call('ZREM', P .. 'leases', ARGV[1]) end
end
local changed = false
for at = 4, #ARGV, 2 do
  local known = call('HGET', P .. 'tools', ARGV[at])
  if known ~= ARGV[at + 1] then
    call('HSET', P .. 'tools', ARGV[at], ARGV[at + 1])
    undo[#undo + 1] = function()
      if known then call('HSET', P .. 'tools', ARGV[at], known) else call('HDEL', P .. 'tools', ARGV[at]) end
    end
    changed = true
  end
  -- An error means that the group is there, or that the queue is none, which each claim says.
  try('XGROUP', 'CREATE', P .. 'ready:' .. ARGV[at], 'workers', '0', 'MKSTREAM')
end
if changed then call('XADD', P .. 'tools:changes', 'MAXLEN', 1, '*', 'changed', 1) end
call('SET', P .. 'worker:' .. ARGV[1], ARGV[3])
return { 'ok' }
