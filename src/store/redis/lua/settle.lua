-- Writes a step of whoever holds a notifier.
-- ARGV: notifier, holder, place of events, place of unanswered questions, status, how many wait, how many are given up,
--       then an id and a text for each of these, then ids of which nothing is kept
-- Returns: 1, or 0 where another one holds it
local name = 'notifier:' .. ARGV[1]
local waiting, aside = 'deliveries:' .. ARGV[1], 'undelivered:' .. ARGV[1]
if typed('HGET', P .. name, 'holder') ~= ARGV[2] then return 0 end
seldom().own(waiting, 'hash')
seldom().own(aside, 'hash')
local from = 8
local function pairs_of(count)
  local words, ids = {}, {}
  for at = from, from + 2 * count - 2, 2 do
    ids[#ids + 1] = ARGV[at]
    words[#words + 1], words[#words + 2] = ARGV[at], ARGV[at + 1]
  end
  from = from + 2 * count
  return words, ids
end
seldom().many('HSET', P .. waiting, (pairs_of(tonumber(ARGV[6]))))
local given_up, ids = pairs_of(tonumber(ARGV[7]))
seldom().many('HSET', P .. aside, given_up)
seldom().many('HDEL', P .. waiting, ids)
local gone = {}
for at = from, #ARGV do gone[#gone + 1] = ARGV[at] end
seldom().many('HDEL', P .. waiting, gone)
seldom().many('HDEL', P .. aside, gone)
-- Last: where this user may not do one of these, the same is read and written again, and nothing is passed over.
call('HSET', P .. name, 'events', ARGV[3], 'unanswered', ARGV[4], 'status', ARGV[5])
return 1
