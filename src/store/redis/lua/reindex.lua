-- Brings tasks back into an index that was lost or overwritten, as their records say.
-- ARGV: whether these are the last ones 0|1, id...
-- Returns: {'ok', how many got back} | {'whole'}, where somebody else has done it
if has_index() then return { 'whole' } end
if not seldom().own('index', 'zset') and is_out_of_order() then
  -- What has another score may be ours: it comes back like all else.
  call('ZREM', INDEX, 'w')
  call('ZREMRANGEBYSCORE', INDEX, '-inf', '(0')
  call('ZREMRANGEBYSCORE', INDEX, '(0', '+inf')
end
local back = 0
for at = 2, #ARGV do
  local id = ARGV[at]
  local task, problem = load_to_end(id)
  if task then
    index(members_of(task))
  elseif problem[1] == 'unreadable' then
    -- It is shown as what it is.
    index({ 'i:' .. id, 'l:' .. digits(0) .. ':' .. id })
  end
  if task or problem[1] == 'unreadable' then back = back + 1 end
end
if ARGV[1] == '1' then call('ZADD', INDEX, '0', 'w') end
return { 'ok', back }
