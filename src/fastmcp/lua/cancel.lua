-- Cancels a run as Docket does: out of the queue, or, while it runs, by a word on its cancel channel. Then
-- clears what would be left of an open question.
-- KEYS: runs, stream, queue, parked, progress, then the keys of an open question
-- ARGV: key, now (ISO), state channel, state event (JSON), cancel channel, seconds the record lives,
--       key of the cancelled mark of FastMCP 4 or '', 1 if the leg is parked on a question
-- Returns: the state before
local before = redis.call('HGET', KEYS[1], 'state') or ''
local ended = before == 'completed' or before == 'failed' or before == 'cancelled' or before == ''
if ended and ARGV[8] ~= '1' then return before end
if ARGV[7] ~= '' then redis.call('SET', ARGV[7], '1', 'EX', ARGV[6]) end
if not ended then
  local entry = redis.call('HGET', KEYS[1], 'stream_id')
  if entry then redis.call('XDEL', KEYS[2], entry) end
  redis.call('ZREM', KEYS[3], ARGV[1])
  redis.call('DEL', KEYS[4], KEYS[5])
  redis.call('HDEL', KEYS[1], 'known', 'stream_id')
  redis.call('HSET', KEYS[1], 'state', 'cancelled', 'completed_at', ARGV[2])
  redis.call('EXPIRE', KEYS[1], ARGV[6])
  if before ~= 'running' then redis.call('PUBLISH', ARGV[3], ARGV[4]) end
  redis.call('PUBLISH', ARGV[5], ARGV[1])
end
for at = 6, #KEYS do redis.call('DEL', KEYS[at]) end
return before
