-- Keeps a namespace within its bounds: drops the oldest events where the log is too large, and lets the oldest
-- finished tasks of scopes that have too many of them end now; deletes archived tasks whose time is over.
-- ARGV: most bytes of the log, most finished tasks of a scope, most tasks of one sweep, most bytes of the archive or '',
--       scope...
-- Returns: how many tasks were let end
local bytes = try('MEMORY', 'USAGE', EVENTS)
if type(bytes) == 'number' and bytes > tonumber(ARGV[1]) then
  call('XTRIM', EVENTS, 'MAXLEN', '~', math.floor(call('XLEN', EVENTS) * 0.8))
end
if call('EXISTS', P .. 'archive') == 1 then bound_archive(0, tonumber(ARGV[4]) or math.huge, now()) end
local most, at, left = tonumber(ARGV[2]), now(), tonumber(ARGV[3])

-- Moves the end of a finished task's ttl to now.
local function let_end(id, scope)
  local task = load_to_end(id)
  if not task or task.scope ~= scope or not task.is_final then return end
  local ends = at_ends().end_of_ttl(task)
  if ends then call('ZREM', INDEX, at_ends().ending_at(task, ends)) end
  call('HSET', P .. 'task:' .. id, 'ttl', whole(math.max(0, at - task.created)))
  call('ZADD', INDEX, '0', at_ends().ending_at(task, math.max(at, task.created)))
  left = left - 1
end

local finished = call('ZLEXCOUNT', INDEX, '[e:', '(e;')
local function bound(scope, from, to, unfinished)
  local over = math.min(left, call('ZLEXCOUNT', INDEX, from, to) - unfinished - most, finished - most)
  if over <= 0 then return end
  for _, member in ipairs(call('ZRANGEBYLEX', INDEX, from, to, 'LIMIT', 0, over)) do
    let_end(string.match(member, '([^:]*)$'), scope)
  end
end

for place = 5, #ARGV do
  local scope = ARGV[place]
  if scope == 'anonymous' then
    for _, status in ipairs({ 'completed', 'failed', 'cancelled' }) do
      bound(scope, '[e:' .. status .. ':', '(e:' .. status .. ';', 0)
    end
  else
    local start = 'o:' .. scope .. '\n'
    bound(scope, '[' .. start, '[' .. start .. '\255', unfinished_of(scope))
  end
end
return tonumber(ARGV[3]) - left
