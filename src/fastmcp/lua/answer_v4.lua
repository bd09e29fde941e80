-- Answers one question of a FastMCP 4 task. The last answer queues the next leg, whose pickled arguments are
-- copied as they are from the leg that asked.
-- KEYS: runs of the leg, runs of the next leg, stream, requests, map, input_responses, update_lock, cancelled,
--       current_leg, leg, then the task's other keys, whose life is prolonged
-- ARGV: surfaced key, the tool's key, entry for input_responses (JSON), Docket key of the next leg, its number,
--       now (ISO), now (epoch), state channel, state event (JSON), seconds answers live, seconds the task lives,
--       Docket key of the leg, seconds that its questions stay
-- Returns: 'queued' | 'left' (others are open) | 'locked' | 'cancelled' | 'gone' | 'expired' | 'ended'
if redis.call('EXISTS', KEYS[7]) == 1 then return 'locked' end
if redis.call('EXISTS', KEYS[8]) == 1 then return 'cancelled' end
local current = redis.call('GET', KEYS[9])
if current and current ~= ARGV[12] then return 'gone' end
if redis.call('HEXISTS', KEYS[4], ARGV[1]) == 0 or redis.call('HGET', KEYS[5], ARGV[1]) ~= ARGV[2] then
  return 'gone'
end
local run = redis.call('HMGET', KEYS[1], 'state', 'function', 'args', 'kwargs')
if not (run[1] and run[2] and run[3] and run[4]) then return 'expired' end
if run[1] ~= 'completed' then return 'ended' end

-- Spliced as text: decoding and encoding would turn empty lists into objects.
local given = redis.call('GET', KEYS[6])
local before = given and string.match(given, '^%s*{%s*(.-)%s*}%s*$') or ''
if before ~= '' then before = before .. ', ' end
redis.call('SET', KEYS[6], '{' .. before .. ARGV[3] .. '}', 'EX', ARGV[10])
for at = 9, #KEYS do redis.call('EXPIRE', KEYS[at], ARGV[11]) end

if redis.call('HLEN', KEYS[4]) > 1 then
  redis.call('HDEL', KEYS[4], ARGV[1])
  redis.call('HDEL', KEYS[5], ARGV[1])
  return 'left'
end
local entry = redis.call('XADD', KEYS[3], '*', 'key', ARGV[4], 'when', ARGV[6], 'function', run[2],
  'args', run[3], 'kwargs', run[4], 'attempt', '1', 'generation', '1')
redis.call('HSET', KEYS[2], 'generation', '1', 'state', 'queued', 'when', ARGV[7], 'known', ARGV[7],
  'stream_id', entry, 'function', run[2], 'args', run[3], 'kwargs', run[4])
redis.call('PUBLISH', ARGV[8], ARGV[9])
redis.call('SET', KEYS[9], ARGV[4], 'EX', ARGV[11])
redis.call('SET', KEYS[10], ARGV[5], 'EX', ARGV[11])
-- What the leg asked expires by itself: FastMCP's server takes the leg from the pointer long before it reads the leg's
-- questions, and would tell a client that asks meanwhile that a leg without any has ended the task, without a result.
redis.call('EXPIRE', KEYS[4], ARGV[13])
redis.call('EXPIRE', KEYS[5], ARGV[13])
return 'queued'
