-- Renews a worker's lease.
-- ARGV: worker, lease ms
-- Returns: 1, or 0 when the worker or one of its tools is not known any more, or not to be read: it is all written anew
--          when the worker is enlisted again
local score = typed('ZSCORE', P .. 'leases', ARGV[1])
if not score or tonumber(score) == 0 then return 0 end
local tools = names_of(ARGV[1])
if not tools then return 0 end
if #tools > 0 then
  if not typed('HLEN', P .. 'tools') then return 0 end
  for _, known in ipairs(seldom().fields_of(P .. 'tools', tools)) do
    if not known then return 0 end
  end
end
call('ZADD', P .. 'leases', now() + tonumber(ARGV[2]), ARGV[1])
-- Not before: where memory is full, Redis lets a script write whatever it likes once it has written anything.
return call('PEXPIRE', P .. 'about:' .. ARGV[1], ABOUT_MS)
