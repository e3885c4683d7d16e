"""The Lua scripts of the shared limits. Times are microseconds of the clock of Redis, made never to go back.

The calls of a route are kept one by one, each at its slot, until they are a window old; a call goes where
that leaves room. No window can hold more calls than the room: the one of them that was reserved last was let
through with all the others counted.

A clock is the theoretical arrival time (tat) of the next call where calls are spaced, or until when a route
is held; its key lives until it is in the past.
"""

from __future__ import annotations

BLOCKED = -2
QUEUE_FULL = -1

TIME = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
"""
NOW = f"""{TIME}
local seen = redis.call('HMGET', KEYS[1], 'last', 'ahead')
local last, ahead = tonumber(seen[1] or '0'), tonumber(seen[2] or '0')
now = now + ahead
if now < last then ahead, now = ahead + last - now, last end
redis.call('HSET', KEYS[1], 'last', string.format('%.0f', now), 'ahead', string.format('%.0f', ahead))
redis.call('PEXPIRE', KEYS[1], 600000)
"""
"""KEYS[1] remembers the last moment. When the server's clock is set back, time goes on from there: else every
call, a stop's too, would wait for as long. It is kept for longer than any slot or hold lies ahead."""

RESERVE = f"""{NOW}
if redis.call('EXISTS', KEYS[2]) == 1 then return {{-2, redis.call('PTTL', KEYS[2]) * 1000}} end
local room = tonumber(redis.call('EXISTS', KEYS[4]) == 1 and ARGV[4] or ARGV[3])
local tats, slot = {{}}, now
local nth = redis.call('ZREVRANGE', KEYS[3], room - 1, room - 1, 'WITHSCORES')
if nth[2] then slot = math.max(slot, nth[2] + ARGV[2]) end
for i = 5, #KEYS do
  tats[i] = tonumber(redis.call('GET', KEYS[i]) or '0')
  slot = math.max(slot, tats[i] - ARGV[2 * i - 4])
end
if slot - now > tonumber(ARGV[1]) then return {{-1, slot - now}} end
for i = 5, #KEYS do
  local tat = math.max(tats[i], slot) + ARGV[2 * i - 5]
  redis.call('SET', KEYS[i], string.format('%.0f', tat), 'PX', math.ceil((tat - now) / 1000) + 1000)
end
local nth_call = redis.call('HINCRBY', KEYS[1], 'calls', 1) -- calls of one moment are as many entries
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', string.format('%.0f', now - ARGV[2]))
redis.call('ZADD', KEYS[3], string.format('%.0f', slot), string.format('%.0f', nth_call))
redis.call('PEXPIRE', KEYS[3], math.ceil((slot - now + ARGV[2]) / 1000) + 1000)
return {{slot, slot - now}}
"""
"""KEYS: the time, the block flag, the calls kept, the flag that prompt ones are wanted, then the clocks.
ARGV: the longest wait; the window, its room, the room while prompt calls are wanted; then the step and
tolerance of each clock, 0 of one that only holds.

Answers (slot, wait), or (BLOCKED, how much longer), or (QUEUE_FULL, how long): then nothing was reserved.
"""

PROMPT = f"""{NOW}
if redis.call('EXISTS', KEYS[2]) == 1 then return {{-2, redis.call('PTTL', KEYS[2]) * 1000}} end
redis.call('SET', KEYS[4], '1', 'PX', ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', string.format('%.0f', now - ARGV[1]))
local kept = redis.call('ZCARD', KEYS[3])
if redis.call('EXISTS', KEYS[5]) == 1 or kept >= tonumber(ARGV[2]) then return {{-1, 0}} end
local nth_call = redis.call('HINCRBY', KEYS[1], 'calls', 1)
redis.call('ZADD', KEYS[3], string.format('%.0f', now), string.format('%.0f', nth_call))
if redis.call('PTTL', KEYS[3]) < ARGV[1] / 1000 then
  redis.call('PEXPIRE', KEYS[3], math.ceil(ARGV[1] / 1000) + 1000)
end
return {{now, 0}}
"""
"""KEYS: the time, the block flag, the calls kept, the flag that prompt ones are wanted, the path's hold flag.
ARGV: the window, its room, how long to remember that prompt calls are wanted (ms).

Answers (now, 0), or (BLOCKED, how much longer), or (QUEUE_FULL, 0): no room, and nothing was reserved.
"""

HOLD = f"""{NOW}
local tat = math.max(tonumber(redis.call('GET', KEYS[2]) or '0'), now + ARGV[1])
redis.call('SET', KEYS[2], string.format('%.0f', tat), 'PX', math.ceil((tat - now) / 1000) + 1000)
local hold_ms = math.max(1, math.floor(ARGV[1] / 1000) - 2) -- gone when the first slot after it comes
if redis.call('PTTL', KEYS[3]) < hold_ms then redis.call('SET', KEYS[3], '1', 'PX', hold_ms) end
return 0
"""
"""KEYS: the time, a clock, its hold flag. ARGV: how long to hold."""
