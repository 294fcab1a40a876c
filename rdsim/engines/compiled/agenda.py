"""The agenda, a binary heap of (day, phase, order), and the queues in order of rank."""

from __future__ import annotations

from rdsim.engines.compiled.contracts import DO_GRANT
from rdsim.engines.jit import jit
from rdsim.engines.rules import GRANT

__all__ = [
    "expect",
    "facilities",
    "grant_soon",
    "join",
    "leave",
    "panel_of",
    "places",
    "pop",
    "purse_of",
    "push",
    "rounds_of",
    "wait_for",
]


@jit
def push(s, day, phase, order, kind, token, index):
    if s.size[0] == len(s.keys):
        raise OverflowError("the agenda is full")
    key = (day << 28) | (phase << 24) | order
    entry = (kind << 56) | (token << 24) | index
    k = s.size[0]
    s.size[0] = k + 1
    while k > 0:
        above = (k - 1) >> 1
        if s.keys[above] <= key:
            break
        s.keys[k], s.entries[k] = s.keys[above], s.entries[above]
        k = above
    s.keys[k], s.entries[k] = key, entry


@jit
def pop(s):
    key, entry = s.keys[0], s.entries[0]
    n = s.size[0] - 1
    s.size[0] = n
    last_key, last_entry = s.keys[n], s.entries[n]
    k = 0
    while True:
        below = 2 * k + 1
        if below >= n:
            break
        if below + 1 < n and s.keys[below + 1] < s.keys[below]:
            below += 1
        if s.keys[below] >= last_key:
            break
        s.keys[k], s.entries[k] = s.keys[below], s.entries[below]
        k = below
    s.keys[k], s.entries[k] = last_key, last_entry
    return key, entry


@jit
def expect(s, p, day, phase, kind):
    """Put a project's next event on the agenda; the one it expected before is void."""
    s.token[p] += 1
    push(s, day, phase, p, kind, s.token[p], p)


@jit
def places(c):
    return len(c.tranches)


@jit
def purse_of(c, g):
    return len(c.tranches) + 1 + g


@jit
def panel_of(c, q):
    return 2 * len(c.tranches) + 1 + q


@jit
def facilities(c):
    return 2 * len(c.tranches) + 1 + len(c.seats)


@jit
def rounds_of(c, g):
    return 2 * len(c.tranches) + 2 + len(c.seats) + g


@jit
def grant_soon(s, t, resource):
    if not s.granting[resource]:
        s.granting[resource] = True
        push(s, t, GRANT, resource, DO_GRANT, 0, resource)


@jit
def join(s, resource, p):
    row = s.queue[resource]
    k = s.waiting[resource]
    while k > 0 and row[k - 1] > p:
        row[k] = row[k - 1]
        k -= 1
    row[k] = p
    s.waiting[resource] += 1


@jit
def leave(s, resource, p):
    row = s.queue[resource]
    k = 0
    while row[k] != p:
        k += 1
    s.waiting[resource] -= 1
    for j in range(k, s.waiting[resource]):
        row[j] = row[j + 1]


@jit
def wait_for(s, t, p, stage, resource):
    s.stage[p] = stage
    s.since[p] = t
    join(s, resource, p)
    grant_soon(s, t, resource)
