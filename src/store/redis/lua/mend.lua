-- Brings back what was lost of some tasks and can be told by their records: who holds them, and their place in a queue.
-- ARGV: lease ms of workers that are not known, id...
-- Returns: {how many got back, key that was made anew...}
local reply = { 0 }

local function keep(name, kind)
  if seldom().own(name, kind) then reply[#reply + 1] = name end
end

local function hold(task)
  local held = 'held:' .. task.worker
  keep(held, 'set')
  -- Whoever does not live any more gets a lease that ends, so that others take over.
  if call('ZSCORE', P .. 'leases', task.worker) == false then
    call('ZADD', P .. 'leases', now() + tonumber(ARGV[1]), task.worker)
  end
  reply[1] = reply[1] + call('SADD', P .. held, task.id)
end

local function queue(task)
  local ready = 'ready:' .. task.tool
  keep(ready, 'stream')
  if call('XRANGE', P .. ready, task.entry, task.entry)[1] then return end
  seldom().enqueue(task)
  call('HSET', P .. 'task:' .. task.id, 'entry', task.entry)
  reply[1] = reply[1] + 1
end

keep('leases', 'zset')
for at = 2, #ARGV do
  local task = load(ARGV[at])
  if task and not task.is_final then
    if task.worker ~= '' then
      hold(task)
    elseif task.entry ~= '' then
      queue(task)
    end
  end
end
return reply
