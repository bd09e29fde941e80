-- Notes which tools a source offers.
-- ARGV: source, tool...
-- Returns: the known tools that it offered before and does not any more
local noted = P .. 'source:' .. ARGV[1]
local offered, left = {}, {}
for at = 2, #ARGV do
  redis.call('SADD', noted, ARGV[at])
  offered[ARGV[at]] = true
end
for _, tool in ipairs(redis.call('SMEMBERS', noted)) do
  if not offered[tool] then
    if redis.call('HEXISTS', P .. 'tools', tool) == 1 then
      table.insert(left, tool)
    else
      redis.call('SREM', noted, tool)
    end
  end
end
return left
