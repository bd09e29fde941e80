-- Announces a worker and its tools, and begins its lease. Shared keys of another type are made anew: every worker is
-- enlisted again when its next renewal finds that it or its tools are not known.
-- ARGV: worker, lease ms, names (JSON), host or '', process or '', slots or '', then for each tool: name,
--       specification (JSON)
-- Returns: {'ok', whether the tasks' places may be lost 0|1, key that was made anew...}
local reply = { 'ok', 0 }

-- Makes a key anew where it is of another type.
local function keep(name, kind)
  if seldom().own(name, kind) then reply[#reply + 1] = name end
end

local leases, held = P .. 'leases', 'held:' .. ARGV[1]
keep('leases', 'zset')
-- Without any lease, those of dead workers may have been lost, and nobody would take their tasks over.
if call('EXISTS', leases) == 0 then reply[2] = 1 end
local before = call('ZSCORE', leases, ARGV[1])
call('ZADD', leases, now() + tonumber(ARGV[2]), ARGV[1])
undo = { undo, function()
  if before then call('ZADD', leases, before, ARGV[1]) else call('ZREM', leases, ARGV[1]) end
end }
if not before then
  keep(held, 'set')
  if call('SADD', P .. held, '') == 1 then undo = { undo, function() call('SREM', P .. held, '') end } end
end
local changed = false
keep('tools', 'hash')
for at = 7, #ARGV, 2 do
  local known = call('HGET', P .. 'tools', ARGV[at])
  if known ~= ARGV[at + 1] then
    call('HSET', P .. 'tools', ARGV[at], ARGV[at + 1])
    undo = { undo, function()
      if known then call('HSET', P .. 'tools', ARGV[at], known) else call('HDEL', P .. 'tools', ARGV[at]) end
    end }
    changed = true
  end
  keep('ready:' .. ARGV[at], 'stream')
  -- The queue may have been lost with its tasks.
  if call('EXISTS', P .. 'ready:' .. ARGV[at]) == 0 then reply[2] = 1 end
  -- An error means that the group is there.
  try('XGROUP', 'CREATE', P .. 'ready:' .. ARGV[at], 'workers', '0', 'MKSTREAM')
end
if changed then tell_of_tools() end
keep('worker:' .. ARGV[1], 'string')
keep('about:' .. ARGV[1], 'hash')
call('SET', P .. 'worker:' .. ARGV[1], ARGV[3])
local about = P .. 'about:' .. ARGV[1]
-- One that had left begins anew.
if not before or tonumber(before) == 0 then call('DEL', about) end
call('HSET', about, 'host', ARGV[4], 'process', ARGV[5], 'slots', ARGV[6])
call('HSETNX', about, 'since', whole(now()))
call('PEXPIRE', about, ABOUT_MS)
return reply
