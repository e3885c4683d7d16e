"""The two Lua scripts of the shared clocks. All times are microseconds of Redis's own clock.

A clock is the theoretical arrival time (tat) of the next call; its key lives until it is in the past.
"""

from __future__ import annotations

BLOCKED = -2
QUEUE_FULL = -1

RESERVE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
if redis.call('EXISTS', KEYS[1]) == 1 then return {-2, redis.call('PTTL', KEYS[1]) * 1000} end
local tats, slot = {}, now
for i = 2, #KEYS do
  tats[i] = tonumber(redis.call('GET', KEYS[i]) or '0')
  slot = math.max(slot, tats[i] - ARGV[2 * i - 1])
end
if slot - now > tonumber(ARGV[1]) then return {-1, slot - now} end
for i = 2, #KEYS do
  local tat = math.max(tats[i], slot) + ARGV[2 * i - 2]
  redis.call('SET', KEYS[i], string.format('%.0f', tat), 'PX', math.ceil((tat - now) / 1000) + 1000)
end
return {slot, slot - now}
"""
"""KEYS: the block flag, then the clocks. ARGV: the longest wait, then the step and tolerance of each clock.

Answers (slot, wait), or (BLOCKED, how much longer), or (QUEUE_FULL, how long): then nothing was reserved.
"""

HOLD = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local tat = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now + ARGV[1] + ARGV[2])
redis.call('SET', KEYS[1], string.format('%.0f', tat), 'PX', math.ceil((tat - now) / 1000) + 1000)
local hold_ms = math.max(1, math.floor(ARGV[1] / 1000) - 2) -- gone when the first slot after it comes
if redis.call('PTTL', KEYS[2]) < hold_ms then redis.call('SET', KEYS[2], '1', 'PX', hold_ms) end
return 0
"""
"""KEYS: a clock, its hold flag. ARGV: how long to hold, the clock's tolerance."""
