-- Marks what some workers hold as whole, after all that their tasks say was brought back.
-- ARGV: worker...
-- Returns: the keys that were made anew
local anew = {}
for _, worker in ipairs(ARGV) do
  local held = 'held:' .. worker
  if call('ZSCORE', P .. 'leases', worker) then
    if seldom().own(held, 'set') then anew[#anew + 1] = held end
    call('SADD', P .. held, '')
  end
end
return anew
