-- Notes which tools a source offers.
-- ARGV: source, tool...
-- Returns: the known tools that it offered before and does not any more
local noted = P .. 'source:' .. ARGV[1]
seldom().own('source:' .. ARGV[1], 'set')
local offered, left = {}, {}
for at = 2, #ARGV do offered[ARGV[at]] = true end
for _, tool in ipairs(call('SMEMBERS', noted)) do
  if not offered[tool] then
    if call('HEXISTS', P .. 'tools', tool) == 1 then
      table.insert(left, tool)
    else
      call('SREM', noted, tool)
    end
  end
end
table.remove(ARGV, 1)
seldom().many('SADD', noted, ARGV)
return left
