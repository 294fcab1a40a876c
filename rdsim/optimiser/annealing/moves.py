"""The walk of an annealing, compiled: change one to three groups, judge, accept or take back.

`land` is the landscape (read only), `s` the state; their fields are in `contracts`. Options are known by their place
among those that are open; -1 is none.
"""

from __future__ import annotations

import math

import numpy as np

from rdsim.draws import philox
from rdsim.native.jit import inlined, jit
from rdsim.optimiser.annealing.contracts import BEST, EXPECTED, FIXED, LOST, MOST, NONE, NOW, TAIL

__all__ = ["walk"]

_LOW, _32 = np.uint64(0xFFFFFFFF), np.uint64(32)
_ONE, _TWO, _THREE = np.uint64(1), np.uint64(2), np.uint64(3)
_TWICE, _THRICE = 0.63, 0.27  # shares of moves that change a second group, and a third
_DROP = 0.2  # share of changes that leave the group unfunded
_UNIT = 2.0**-32
_BROKEN = -math.inf


# ---------------------------------------------------------------- chance


@inlined
def _four(land, move, part):
    """Four words of 32 random bits for a part of a move."""
    return philox(move & _LOW, move >> _32, part, land.round, land.seed & _LOW, land.seed >> _32)


@inlined
def _share(word):
    return (np.float64(word) + 0.5) * _UNIT


@inlined
def _below(word, count):
    return np.int64((word * np.uint64(count)) >> _32)


# ---------------------------------------------------------------- a change


@inlined
def _propose_one(land, s, made, group_word, drop_word, option_word):
    """One more changed group, unless it is changed already or would stay as it is; returns how many there are."""
    g = _below(group_word, len(s.current))
    for k in range(made):
        if s.group[k] == g:
            return made
    first = land.start[g]
    choices = land.start[g + 1] - first
    fresh = NONE
    if choices > 0 and (not land.may_drop[g] or _share(drop_word) >= _DROP):
        fresh = first + _below(option_word, choices)
    if fresh == s.current[g] or (fresh == NONE and not land.may_drop[g]):
        return made
    s.group[made], s.old[made], s.fresh[made] = g, s.current[g], fresh
    return made + 1


@inlined
def _propose(land, s, move):
    """Fill in group, old and fresh of the changed groups; returns how many they are, and a number for acceptance."""
    w0, w1, w2, w3 = _four(land, move, _ONE)
    made = _propose_one(land, s, 0, w0, w1, w2)
    chance = _share(w3)
    if chance < _TWICE:
        w0, w1, w2, w3 = _four(land, move, _TWO)
        made = _propose_one(land, s, made, w0, w1, w2)
        if chance < _THRICE:
            v0, v1, v2, _ = _four(land, move, _THREE)
            made = _propose_one(land, s, made, v0, v1, v2)
    return made, _share(w3) if chance < _TWICE else _share(w1 ^ w2)


@inlined
def _count_users(land, s, option, sign):
    """One user more or less of each of the option's partners."""
    stage = land.stage[option]
    for k in range(land.member_start[option], land.member_start[option + 1]):
        s.users[land.member[k], stage] += sign


@inlined
def _add_use(land, activity, option, sign):
    for k in range(land.use_start[option], land.use_start[option + 1]):
        activity[land.use_row[k]] += sign * land.use[k]


@inlined
def _add_opening(land, activity, partner, stage, sign):
    if stage < len(land.stages):
        cell = partner * len(land.stages) + stage
        for k in range(land.opening_start[cell], land.opening_start[cell + 1]):
            activity[land.opening_row[k]] += sign * land.opening[k]


@inlined
def _opens(land, s, partner):
    """The stage at which a partner opens: the number of stages if it never does."""
    for stage in range(len(land.stages)):
        if s.users[partner, stage] > 0:
            return stage
    return len(land.stages)


@inlined
def _enter(land, s, made):
    """Make the change in `current` and `users`, and work out activity in `trial`."""
    for row in range(len(s.trial)):
        s.trial[row] = s.activity[row]
    for k in range(made):
        s.current[s.group[k]] = s.fresh[k]
        if s.old[k] != NONE:
            _add_use(land, s.trial, s.old[k], -1.0)
            _count_users(land, s, s.old[k], -1)
        if s.fresh[k] != NONE:
            _add_use(land, s.trial, s.fresh[k], 1.0)
            _count_users(land, s, s.fresh[k], 1)
    for partner in range(len(s.opened)):
        stage = _opens(land, s, partner)
        s.opens[partner] = stage
        if stage != s.opened[partner]:
            _add_opening(land, s.trial, partner, s.opened[partner], -1.0)
            _add_opening(land, s.trial, partner, stage, 1.0)


@inlined
def _take_back(land, s, made):
    for k in range(made):
        s.current[s.group[k]] = s.old[k]
        if s.old[k] != NONE:
            _count_users(land, s, s.old[k], 1)
        if s.fresh[k] != NONE:
            _count_users(land, s, s.fresh[k], -1)


# ---------------------------------------------------------------- rules and rows


@inlined
def _keeps_rules(land, s):
    """Whether prerequisites and exclusions hold."""
    for k in range(len(land.needs)):
        dependent = s.current[land.needs[k, 0]]
        if dependent != NONE:
            needed = s.current[land.needs[k, 1]]
            if needed == NONE or land.stage[needed] > land.stage[dependent]:
                return False
    for k in range(len(land.excluding_start) - 1):
        funded = 0
        for place in range(land.excluding_start[k], land.excluding_start[k + 1]):
            if s.current[land.excluding[place]] != NONE:
                funded += 1
        if funded > 1:
            return False
    return True


@inlined
def _shortfall(land, s):
    """Objective lost to soft rows at the activity in `trial`; infinite if a hard row is broken."""
    for row in range(len(s.room)):
        s.room[row] = land.cap[row]
    for k in range(len(land.carry)):
        source = land.carry[k, 0]
        s.room[land.carry[k, 1]] += land.rate[k] * max(0.0, s.room[source] - s.trial[source])
    lost = 0.0
    for row in range(len(s.room)):
        over = s.trial[row] - s.room[row]
        if over > land.above[row] or over < -land.below[row]:
            if land.price[row] < 0.0:
                return math.inf
            lost += land.price[row] * abs(over)
    return lost


@inlined
def _fixed(land, s):
    """Worth of openings and synergies less shortfall, the same in every sample; minus infinity breaks a rule."""
    if not _keeps_rules(land, s):
        return _BROKEN
    s.figures[LOST + 1] = _shortfall(land, s)
    worth = -s.figures[LOST + 1]
    if worth == _BROKEN:
        return _BROKEN
    for partner in range(len(s.opens)):
        if s.opens[partner] < len(land.stages):
            worth += land.opening_value[partner, s.opens[partner]]
    for k in range(len(land.pair)):
        if s.current[land.pair[k, 0]] != NONE and s.current[land.pair[k, 1]] != NONE:
            worth += land.pair_value[k]
    return worth


# ---------------------------------------------------------------- samples


@inlined
def _select(values, count):
    """Bring the `count` smallest to the front, the largest of them last (Hoare 1961, the median of three as pivot)."""
    low, high, place = 0, len(values) - 1, count - 1
    while high > low:
        middle = (low + high) // 2
        a, b, c = values[low], values[middle], values[high]
        pivot = max(min(a, b), min(max(a, b), c))
        i, j = low, high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if place <= j:
            high = j
        elif place >= i:
            low = i
        else:
            return


@inlined
def _tail_mean(land, s):
    """Tail mean of the samples in `tried`."""
    for n in range(len(s.tried)):
        s.sorting[n] = s.tried[n]
    count = len(s.tail)
    _select(s.sorting, count)
    total = 0.0
    for n in range(count - 1):
        total += s.sorting[n]
    return (total + (land.tail_size - (count - 1)) * s.sorting[count - 1]) / land.tail_size


@inlined
def _note_tail(s):
    """The samples of the tail of `sorting`, which has been selected, and the weight of the last."""
    count, found = len(s.tail), 0
    edge = s.sorting[count - 1]
    for n in range(len(s.worth)):
        if s.worth[n] < edge and found < count:
            s.tail[found] = n
            found += 1
    for n in range(len(s.worth)):
        if found == count:
            return
        if s.worth[n] == edge:
            s.tail[found] = n
            found += 1


@inlined
def _weigh(land, s, n, weight):
    """Every option's mean over the tail, with another weight of one sample."""
    if weight != 0.0:
        for option in range(len(s.in_tail)):
            s.in_tail[option] += weight * land.by_sample[n, option]


@inlined
def _note_tail_means(land, s):
    """Every option's mean over the tail, anew; the level may split the last sample."""
    count = len(s.tail)
    for option in range(len(s.in_tail)):
        s.in_tail[option] = 0.0
    for k in range(count - 1):
        _weigh(land, s, s.tail[k], 1.0 / land.tail_size)
    _weigh(land, s, s.tail[count - 1], (land.tail_size - (count - 1)) / land.tail_size)


@inlined
def _move_tail(land, s):
    """The tail of `sorting`, which has been selected, and the means over it: few samples come and go."""
    count = len(s.tail)
    whole, split = 1.0 / land.tail_size, (land.tail_size - (count - 1)) / land.tail_size
    for k in range(count):
        s.before[k] = s.tail[k]
        s.change[s.tail[k]] = -whole if k < count - 1 else -split
    _note_tail(s)
    for k in range(count):
        s.change[s.tail[k]] += whole if k < count - 1 else split
    for k in range(count):
        _weigh(land, s, s.before[k], s.change[s.before[k]])
        s.change[s.before[k]] = 0.0
        _weigh(land, s, s.tail[k], s.change[s.tail[k]])
        s.change[s.tail[k]] = 0.0


@inlined
def _highest(land, s, made):
    """The most that the change could be worth, but for what is the same in every sample; and its expected value.

    The tail mean rises by no more than the mean of the samples that are the tail now.
    """
    expected, tail = s.figures[EXPECTED], s.figures[TAIL]
    for k in range(made):
        for sign, option in ((1.0, s.fresh[k]), (-1.0, s.old[k])):
            if option != NONE:
                expected += sign * land.expected[option]
                if len(s.worth) > 0:
                    tail += sign * s.in_tail[option]
    return (1.0 - land.weight) * expected + land.weight * tail, expected


@inlined
def _most_fixed(land, s, made):
    """The most that openings and synergies, less what soft rows cost, could be worth after the change."""
    sampled = (1.0 - land.weight) * s.figures[EXPECTED] + land.weight * s.figures[TAIL]
    most = s.figures[NOW] - sampled + s.figures[LOST]
    for k in range(made):
        most += land.pair_most[s.group[k]]
        for option in (s.old[k], s.fresh[k]):
            if option != NONE:
                for m in range(land.member_start[option], land.member_start[option + 1]):
                    partner = land.member[m]
                    stage = s.opened[partner]
                    now = land.opening_value[partner, stage] if stage < len(land.stages) else 0.0
                    most += land.opening_most[partner] - now
    return most


@inlined
def _try_samples(land, s, made):
    for n in range(len(s.tried)):
        s.tried[n] = s.worth[n]
    for k in range(made):
        if s.old[k] != NONE:
            for n in range(len(s.tried)):
                s.tried[n] -= land.samples[s.old[k], n]
        if s.fresh[k] != NONE:
            for n in range(len(s.tried)):
                s.tried[n] += land.samples[s.fresh[k], n]


@inlined
def _reaches(land, s, fixed, tail):
    """Whether CVaR is no lower than its floor, and enough samples reach the target."""
    if tail + fixed < land.floor:
        return False
    reached = 0
    if land.enough > 0:
        for n in range(len(s.tried)):
            if s.tried[n] + fixed >= land.target:
                reached += 1
    return reached >= land.enough


# ---------------------------------------------------------------- a move


@inlined
def _judge(land, s, made, highest, expected, least):
    """Whether the change keeps every rule and is worth at least `least`; its worth is then in `figures[MOST]`.

    `highest` and `expected` are what `_highest` says of it.
    """
    fixed = _fixed(land, s)
    if fixed == _BROKEN:
        return False
    if highest + fixed < least:
        return False
    tail, level = 0.0, land.weight
    if len(s.worth) > 0:
        _try_samples(land, s, made)
        tail = _tail_mean(land, s)
    worth = (1.0 - level) * expected + level * tail + fixed
    if worth < least or (len(s.worth) > 0 and not _reaches(land, s, fixed, tail)):
        return False
    s.figures[MOST], s.figures[TAIL + 1], s.figures[EXPECTED + 1], s.figures[FIXED] = worth, tail, expected, fixed
    return True


@inlined
def _accept(land, s):
    """Keep the change that has been judged."""
    for row in range(len(s.trial)):
        s.activity[row] = s.trial[row]
    for partner in range(len(s.opened)):
        s.opened[partner] = s.opens[partner]
    s.figures[NOW] = s.figures[MOST]
    s.figures[EXPECTED], s.figures[TAIL] = s.figures[EXPECTED + 1], s.figures[TAIL + 1]
    s.figures[LOST] = s.figures[LOST + 1]
    if len(s.worth) > 0:
        for n in range(len(s.worth)):
            s.worth[n] = s.tried[n]
        _move_tail(land, s)
    if s.figures[NOW] > s.figures[BEST]:
        s.figures[BEST] = s.figures[NOW]
        for g in range(len(s.current)):
            s.best[g] = s.current[g]


@inlined
def _settle(land, s):
    """Everything in the state that follows from `current`, anew: sums that are only added to drift."""
    s.figures[EXPECTED] = 0.0
    for row in range(len(s.activity)):
        s.activity[row] = 0.0
    for partner in range(len(s.opened)):
        for stage in range(len(land.stages)):
            s.users[partner, stage] = 0
    for n in range(len(s.worth)):
        s.tried[n] = 0.0
    for g in range(len(s.current)):
        option = s.current[g]
        if option != NONE:
            s.figures[EXPECTED] += land.expected[option]
            _add_use(land, s.activity, option, 1.0)
            _count_users(land, s, option, 1)
            for n in range(len(s.worth)):
                s.tried[n] += land.samples[option, n]
    for partner in range(len(s.opened)):
        s.opened[partner] = _opens(land, s, partner)
        s.opens[partner] = s.opened[partner]
        _add_opening(land, s.activity, partner, s.opened[partner], 1.0)
    for row in range(len(s.trial)):
        s.trial[row] = s.activity[row]


@inlined
def _start(land, s):
    """Settle the state and judge it; False if it breaks a rule."""
    _settle(land, s)
    fixed, tail = _fixed(land, s), 0.0
    if len(s.worth) > 0:
        tail = _tail_mean(land, s)
        for n in range(len(s.worth)):
            s.worth[n] = s.tried[n]
        _note_tail(s)
        _note_tail_means(land, s)
        if fixed != _BROKEN and not _reaches(land, s, fixed, tail):
            return False
    s.figures[TAIL], s.figures[LOST] = tail, s.figures[LOST + 1]
    s.figures[NOW] = (1.0 - land.weight) * s.figures[EXPECTED] + land.weight * tail + fixed
    s.figures[BEST] = max(s.figures[BEST], s.figures[NOW])
    return fixed != _BROKEN


@jit
def walk(land, s, first, moves, hot, cooling, enough):
    """Moves `first`.. at temperature hot * cooling ** move; ends early at an objective of `enough`.

    Returns the number of changes accepted, or -1 if where it stands breaks a rule.
    """
    if not _start(land, s):
        return -1
    accepted = 0
    for move in range(first, first + moves):
        if s.figures[BEST] >= enough:
            return accepted
        made, chance = _propose(land, s, np.uint64(move))
        if made == 0:
            continue
        least = s.figures[NOW] + hot * math.exp(cooling * move) * math.log(chance)
        highest, expected = _highest(land, s, made)
        if highest + _most_fixed(land, s, made) < least:
            continue  # most changes are no good, whatever the rows say
        _enter(land, s, made)
        if _judge(land, s, made, highest, expected, least):
            _accept(land, s)
            accepted += 1
        else:
            _take_back(land, s, made)
    return accepted
