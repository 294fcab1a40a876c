"""The agenda, a calendar with a list for each day in order of (phase, order); and the queues in order of rank.

A day of a simulation holds a few entries at most, or many that come in order: so a sorted list for each day,
with its last entry at hand, costs less than a heap of all days. Grants, the last phase of every day, are flags.
"""

from __future__ import annotations

from rdsim.native.jit import inline, jit

__all__ = [
    "clear",
    "expect",
    "facilities",
    "fill",
    "grant_soon",
    "hand_on",
    "join",
    "leave",
    "next_grant",
    "panel_of",
    "places",
    "pop",
    "purse_of",
    "push",
    "rounds_of",
    "wait_for",
]


@inline
def fill(view, value):
    for k in range(len(view)):
        view[k] = value


@inline
def clear(s):
    """Forget what was to be granted; an agenda that was worked off to the horizon is empty already."""
    s.due[0] = 0
    s.first_due[0] = len(s.granting)


@jit
def push(s, day, phase, order, kind, token, index):
    """Enter what happens on a day, after what is entered there for the same phase and order.

    Model: E1.
    """
    if day >= len(s.first):
        return
    node = s.free[0]
    if node < 0:
        s.overflow[0] = 1
        return
    s.free[0] = s.after[node]
    key = (phase << 24) | order
    s.key[node] = key
    s.what[node] = (kind << 56) | (token << 24) | index
    last = s.last[day]
    if s.first[day] < 0:
        s.first[day] = node
        s.last[day] = node
        s.after[node] = -1
    elif s.key[last] <= key:
        s.after[last] = node
        s.last[day] = node
        s.after[node] = -1
    elif s.key[s.first[day]] > key:
        s.after[node] = s.first[day]
        s.first[day] = node
    else:
        before = s.first[day]
        while s.key[s.after[before]] <= key:
            before = s.after[before]
        s.after[node] = s.after[before]
        s.after[before] = node


@inline
def pop(s, day):
    node = s.first[day]
    s.first[day] = s.after[node]
    s.after[node] = s.free[0]
    s.free[0] = node
    return s.what[node]


@inline
def expect(s, p, day, phase, kind):
    """Put a project's next event on the agenda; the one it expected before is void.

    Model: E1.
    """
    s.token[p] += 1
    push(s, day, phase, p, kind, s.token[p], p)


@inline
def places(c):
    return len(c.tranches)


@inline
def purse_of(c, g):
    return len(c.tranches) + 1 + g


@inline
def panel_of(c, q):
    return 2 * len(c.tranches) + 1 + q


@inline
def facilities(c):
    return 2 * len(c.tranches) + 1 + len(c.seats)


@inline
def rounds_of(c, g):
    return 2 * len(c.tranches) + 2 + len(c.seats) + g


@inline
def grant_soon(s, resource):
    """Have a resource granted when all else of the day is done.

    Model: E2.
    """
    if not s.granting[resource]:
        s.granting[resource] = True
        s.due[0] += 1
        s.first_due[0] = min(s.first_due[0], resource)


@inline
def hand_on(s, resource):
    """Something of a resource is free again: grant it to those who wait. Who comes later asks for a grant itself."""
    if s.waiting[resource] > 0:
        grant_soon(s, resource)


@inline
def next_grant(s):
    """The first of the resources that are to be granted.

    Model: E2.
    """
    resource = s.first_due[0]
    while not s.granting[resource]:
        resource += 1
    s.granting[resource] = False
    s.due[0] -= 1
    s.first_due[0] = resource + 1 if s.due[0] > 0 else len(s.granting)
    return resource


@inline
def join(s, resource, p):
    """Model: E2."""
    row = s.queue[resource]
    k = s.waiting[resource]
    while k > 0 and row[k - 1] > p:
        row[k] = row[k - 1]
        k -= 1
    row[k] = p
    s.waiting[resource] += 1


@inline
def leave(s, resource, p):
    row = s.queue[resource]
    k = 0
    while row[k] != p:
        k += 1
    s.waiting[resource] -= 1
    for j in range(k, s.waiting[resource]):
        row[j] = row[j + 1]


@inline
def wait_for(s, t, p, stage, resource):
    s.stage[p] = stage
    s.since[p] = t
    join(s, resource, p)
    grant_soon(s, resource)
