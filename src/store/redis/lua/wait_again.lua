-- Has deliveries wait that were given up, or wait otherwise.
-- ARGV: notifier, then an id and a text for each
-- Returns: how many of them are there
local name = 'notifier:' .. ARGV[1]
local waiting, aside = 'deliveries:' .. ARGV[1], 'undelivered:' .. ARGV[1]
seldom().own(name, 'hash')
seldom().own(waiting, 'hash')
seldom().own(aside, 'hash')
local there, ids = {}, {}
for at = 2, #ARGV, 2 do
  local id = ARGV[at]
  if call('HEXISTS', P .. waiting, id) == 1 or call('HEXISTS', P .. aside, id) == 1 then
    ids[#ids + 1] = id
    there[#there + 1], there[#there + 2] = id, ARGV[at + 1]
  end
end
if #ids == 0 then return 0 end
call('HINCRBY', P .. name, 'revision', '1')
seldom().many('HSET', P .. waiting, there)
seldom().many('HDEL', P .. aside, ids)
return #ids
