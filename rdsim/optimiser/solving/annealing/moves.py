"""The walk of an annealing, compiled: change one to four groups, judge, accept or take back.

`land` is the landscape (read only), `s` the state; their fields are in `contracts`. Options are known by their place
among those that are open; -1 is none.
"""

from __future__ import annotations

import math

import numpy as np

from rdsim.draws import philox
from rdsim.native.jit import inline, jit
from rdsim.optimiser.solving.annealing.contracts import BEST, EXPECTED, LOST, MOST, NONE, NOW, TAIL, TOUCHED

__all__ = ["walk"]

_LOW, _32 = np.uint64(0xFFFFFFFF), np.uint64(32)
_ONE = np.uint64(1)
_ANOTHER = 0.6  # share of moves that change a second group though rows are kept after one
_LEAVE = 0.2  # share of changes that make room in a row which leave the group unfunded
_DROP = 0.2  # share of changes that leave the group unfunded
_UNIT = 2.0**-32


# ---------------------------------------------------------------- chance


@inline
def _four(land, move, part):
    """Four words of 32 random bits for a part of a move."""
    return philox(move & _LOW, move >> _32, part, land.round, land.seed & _LOW, land.seed >> _32)


@inline
def _share(word):
    return (np.float64(word) + 0.5) * _UNIT


@inline
def _below(word, count):
    return np.int64((word * np.uint64(count)) >> _32)


# ---------------------------------------------------------------- a change


@inline
def _is_changed(s, made, g):
    for k in range(made):  # noqa: SIM110 - compiled: `any` of a generator is not
        if s.group[k] == g:
            return True
    return False


@inline
def _propose(land, s, made, group_word, drop_word, option_word):
    """One more changed group, unless it is changed already or would stay as it is; returns how many there are."""
    g = _below(group_word, len(s.current))
    if _is_changed(s, made, g):
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


@inline
def _use_of(land, option, row):
    """What an option uses of a row."""
    for k in range(land.use_start[option], land.use_start[option + 1]):
        if land.use_row[k] == row:
            return land.use[k]
    return 0.0


@inline
def _user_of(land, s, made, row, chosen, word):
    """An option that uses a row and is chosen now, or is not, in a group that is not changed yet; none: -1."""
    first = land.user_start[row]
    count = land.user_start[row + 1] - first
    place = _below(word, count)
    for _ in range(count):
        option = land.user[first + place]
        g = land.group_of[option]
        if (s.current[g] == option) == chosen and not _is_changed(s, made, g):
            return option
        place = place + 1 if place + 1 < count else 0
    return NONE


@inline
def _propose_less(land, s, made, row, group_word, drop_word, option_word):
    """One more changed group that uses less of a row than it does now; returns how many there are."""
    option = _user_of(land, s, made, row, True, group_word)
    return made if option == NONE else _lessen(land, s, made, row, option, drop_word, option_word)


@inline
def _lessen(land, s, made, row, option, drop_word, option_word):
    """The option's group without it, or with one that uses less of a row; returns how many changed groups there are."""
    g = land.group_of[option]
    fresh = NONE
    if not land.may_drop[g] or _share(drop_word) >= _LEAVE:
        first = land.start[g]
        count = land.start[g + 1] - first
        place, now = _below(option_word, count), _use_of(land, option, row)
        for _ in range(count):
            if _use_of(land, first + place, row) < now:
                fresh = first + place
                break
            place = place + 1 if place + 1 < count else 0
        if fresh == NONE and not land.may_drop[g]:
            return made
    s.group[made], s.old[made], s.fresh[made] = g, option, fresh
    return made + 1


@inline
def _propose_more(land, s, made, row, word):
    """One more changed group that uses more of a row than it does now; returns how many there are."""
    option = _user_of(land, s, made, row, False, word)
    if option == NONE:
        return made
    g = land.group_of[option]
    s.group[made], s.old[made], s.fresh[made] = g, s.current[g], option
    return made + 1


@inline
def _count_users(land, s, option, sign):
    """One user more or less of each of the option's partners."""
    stage = land.stage[option]
    for k in range(land.member_start[option], land.member_start[option + 1]):
        s.users[land.member[k], stage] += sign


@inline
def _add(s, row, amount):
    """So much more activity of a row."""
    if not s.is_touched[row]:
        s.is_touched[row] = True
        s.touched[s.counts[TOUCHED]] = row
        s.counts[TOUCHED] += 1
    s.delta[row] += amount


@inline
def _add_use(land, s, option, sign):
    for k in range(land.use_start[option], land.use_start[option + 1]):
        _add(s, land.use_row[k], sign * land.use[k])


@inline
def _add_opening(land, s, partner, stage, sign):
    if stage < len(land.stages):
        cell = partner * len(land.stages) + stage
        for k in range(land.opening_start[cell], land.opening_start[cell + 1]):
            _add(s, land.opening_row[k], sign * land.opening[k])


@inline
def _opens(land, s, partner):
    """The stage at which a partner opens: the number of stages if it never does."""
    for stage in range(len(land.stages)):
        if s.users[partner, stage] > 0:
            return stage
    return len(land.stages)


@inline
def _reopen(land, s, option):
    """The option's partners open when their first user needs them."""
    for k in range(land.member_start[option], land.member_start[option + 1]):
        partner = land.member[k]
        stage = _opens(land, s, partner)
        if stage != s.opens[partner]:
            _add_opening(land, s, partner, s.opens[partner], -1.0)
            _add_opening(land, s, partner, stage, 1.0)
            s.opens[partner] = stage


@inline
def _enter(land, s, k):
    """Make change k in `current`, `users` and `opens`; what it adds to rows is in `delta`."""
    s.current[s.group[k]] = s.fresh[k]
    if s.old[k] != NONE:
        _add_use(land, s, s.old[k], -1.0)
        _count_users(land, s, s.old[k], -1)
    if s.fresh[k] != NONE:
        _add_use(land, s, s.fresh[k], 1.0)
        _count_users(land, s, s.fresh[k], 1)
        _reopen(land, s, s.fresh[k])
    if s.old[k] != NONE:
        _reopen(land, s, s.old[k])


@inline
def _take_back(land, s, made):
    for k in range(made):
        s.current[s.group[k]] = s.old[k]
        if s.old[k] != NONE:
            _count_users(land, s, s.old[k], 1)
        if s.fresh[k] != NONE:
            _count_users(land, s, s.fresh[k], -1)
    for partner in range(len(s.opens)):
        s.opens[partner] = s.opened[partner]


@inline
def _forget(s):
    """Nothing is touched any more."""
    for k in range(s.counts[TOUCHED]):
        row = s.touched[k]
        s.delta[row] = 0.0
        s.is_touched[row] = False
    s.counts[TOUCHED] = 0


# ---------------------------------------------------------------- rules and rows


@inline
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


@inline
def _carry(land, s):
    """Room of the rows to which unspent money is carried."""
    for k in range(len(land.carry)):
        source, target = land.carry[k, 0], land.carry[k, 1]
        unspent = s.room[source] - s.activity[source] - s.delta[source]
        s.room[target] = land.cap[target] + land.rate[k] * max(0.0, unspent)


@inline
def _excess(land, s, row):
    """How far a hard row is off, more than 0 if it is used too much and less than 0 if too little; 0 if it is kept."""
    over = s.activity[row] + s.delta[row] - s.room[row]
    if land.price[row] >= 0.0 or (over <= land.above[row] and over >= -land.below[row]):
        return 0.0
    return over


@inline
def _most_off(land, s):
    """The row that is off the most, relative to its room; -1 if all are kept."""
    found, most = -1, 0.0
    for k in range(s.counts[TOUCHED]):
        row = s.touched[k]
        off = abs(_excess(land, s, row))
        if off > most * (abs(s.room[row]) + 1e-9):
            found, most = row, off / (abs(s.room[row]) + 1e-9)
    for k in range(len(land.carry)):
        row = land.carry[k, 1]
        off = abs(_excess(land, s, row))
        if off > most * (abs(s.room[row]) + 1e-9):
            found, most = row, off / (abs(s.room[row]) + 1e-9)
    return found


@inline
def _fixed_worth(land, s):
    """Worth of openings and synergies less what soft rows cost, the same in every sample."""
    lost = 0.0
    for k in range(len(land.soft)):
        row = land.soft[k]
        over = s.activity[row] + s.delta[row] - s.room[row]
        if over > land.above[row] or over < -land.below[row]:
            lost += land.price[row] * abs(over)
    s.figures[LOST + 1], worth = lost, -lost
    for partner in range(len(s.opens)):
        if s.opens[partner] < len(land.stages):
            worth += land.opening_value[partner, s.opens[partner]]
    for k in range(len(land.pair)):
        if s.current[land.pair[k, 0]] != NONE and s.current[land.pair[k, 1]] != NONE:
            worth += land.pair_value[k]
    return worth


# ---------------------------------------------------------------- samples


@inline
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


@inline
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


@inline
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


@inline
def _weigh(land, s, n, weight):
    """Every option's mean over the tail, with another weight of one sample."""
    if weight != 0.0:
        for option in range(len(s.in_tail)):
            s.in_tail[option] += weight * land.by_sample[n, option]


@inline
def _note_tail_means(land, s):
    """Every option's mean over the tail, anew; the level may split the last sample."""
    count = len(s.tail)
    for option in range(len(s.in_tail)):
        s.in_tail[option] = 0.0
    for k in range(count - 1):
        _weigh(land, s, s.tail[k], 1.0 / land.tail_size)
    _weigh(land, s, s.tail[count - 1], (land.tail_size - (count - 1)) / land.tail_size)


@inline
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


@inline
def _expected_worth(land, s, made):
    """Expected value after the change."""
    expected = s.figures[EXPECTED]
    for k in range(made):
        for sign, option in ((1.0, s.fresh[k]), (-1.0, s.old[k])):
            if option != NONE:
                expected += sign * land.expected[option]
    return expected


@inline
def _highest(land, s, made):
    """The most that the change could be worth, but for what is the same in every sample.

    The tail mean rises by no more than the mean of the samples that are the tail now.
    """
    tail = s.figures[TAIL]
    if len(s.worth) > 0:
        for k in range(made):
            for sign, option in ((1.0, s.fresh[k]), (-1.0, s.old[k])):
                if option != NONE:
                    tail += sign * s.in_tail[option]
    return (1.0 - land.weight) * _expected_worth(land, s, made) + land.weight * tail


@inline
def _most_fixed_worth(land, s, made):
    """The most that openings and synergies, less what soft rows cost, could be worth after the change."""
    sampled = (1.0 - land.weight) * s.figures[EXPECTED] + land.weight * s.figures[TAIL]
    most, found = s.figures[NOW] - sampled, 0.0
    for k in range(made):
        old, fresh = s.old[k], s.fresh[k]
        if (old == NONE) != (fresh == NONE):
            most += land.pair_most[s.group[k]]
        if old != NONE:
            found += land.soft_out[old]
            for m in range(land.member_start[old], land.member_start[old + 1]):
                partner, stage = land.member[m], land.stage[old]
                if stage == s.opened[partner] and s.users[partner, stage] <= made:
                    most += land.opening_most[partner] - land.opening_value[partner, stage]
        if fresh != NONE:
            found += land.soft_in[fresh]
            for m in range(land.member_start[fresh], land.member_start[fresh + 1]):
                partner, stage, now = land.member[m], land.stage[fresh], s.opened[land.member[m]]
                if stage < now:
                    value = land.opening_value[partner, now] if now < len(land.stages) else 0.0
                    most += max(0.0, land.opening_value[partner, stage] - value)
    return most + min(found, s.figures[LOST])


@inline
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


@inline
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


@inline
def _judge(land, s, made, least):
    """Whether the change keeps prerequisites and exclusions and is worth at least `least`: then in `figures[MOST]`."""
    if not _keeps_rules(land, s):
        return False
    fixed, level = _fixed_worth(land, s), land.weight
    if _highest(land, s, made) + fixed < least:
        return False
    expected, tail = _expected_worth(land, s, made), 0.0
    if len(s.worth) > 0:
        _try_samples(land, s, made)
        tail = _tail_mean(land, s)
    worth = (1.0 - level) * expected + level * tail + fixed
    if worth < least or (len(s.worth) > 0 and not _reaches(land, s, fixed, tail)):
        return False
    s.figures[MOST], s.figures[TAIL + 1], s.figures[EXPECTED + 1] = worth, tail, expected
    return True


@inline
def _accept(land, s):
    """Keep the change that has been judged."""
    for k in range(s.counts[TOUCHED]):
        row = s.touched[k]
        s.activity[row] += s.delta[row]
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


@inline
def _settle(land, s):
    """Everything in the state that follows from `current`, anew: sums that are only added to drift."""
    s.figures[EXPECTED] = 0.0
    _forget(s)
    for row in range(len(s.activity)):
        s.room[row] = land.cap[row]
    for partner in range(len(s.opened)):
        s.opens[partner] = len(land.stages)
        for stage in range(len(land.stages)):
            s.users[partner, stage] = 0
    for n in range(len(s.worth)):
        s.tried[n] = 0.0
    for g in range(len(s.current)):
        option = s.current[g]
        if option != NONE:
            s.figures[EXPECTED] += land.expected[option]
            _add_use(land, s, option, 1.0)
            _count_users(land, s, option, 1)
            _reopen(land, s, option)
            for n in range(len(s.worth)):
                s.tried[n] += land.samples[option, n]
    for partner in range(len(s.opened)):
        s.opened[partner] = s.opens[partner]
    for row in range(len(s.activity)):
        s.activity[row] = s.delta[row]
    _forget(s)


@inline
def _keeps_rows(land, s):
    """Whether every hard row is kept."""
    _carry(land, s)
    for row in range(len(s.activity)):  # noqa: SIM110 - compiled: `all` of a generator is not
        if _excess(land, s, row) != 0.0:
            return False
    return True


@inline
def _start(land, s):
    """Settle the state and judge it; False if it breaks a rule."""
    _settle(land, s)
    keeps = _keeps_rows(land, s) and _keeps_rules(land, s)
    fixed, tail = _fixed_worth(land, s), 0.0
    if len(s.worth) > 0:
        tail = _tail_mean(land, s)
        for n in range(len(s.worth)):
            s.worth[n] = s.tried[n]
        _note_tail(s)
        _note_tail_means(land, s)
        if not _reaches(land, s, fixed, tail):
            return False
    s.figures[TAIL], s.figures[LOST] = tail, s.figures[LOST + 1]
    s.figures[NOW] = (1.0 - land.weight) * s.figures[EXPECTED] + land.weight * tail + fixed
    s.figures[BEST] = max(s.figures[BEST], s.figures[NOW])
    return keeps


@inline
def _change(land, s, move, least):
    """Change groups until every row is kept; returns how many, and whether that may be worth `least`."""
    w0, w1, w2, _ = _four(land, move, _ONE)
    made, entered, part = _propose(land, s, 0, w0, w1, w2), 0, _ONE
    while made > entered:
        if part == _ONE:
            part += _ONE
            w0, w1, w2, w3 = _four(land, move, part)
            if _share(w3) < _ANOTHER:
                made = _propose(land, s, made, w0, w1, w2)
        if _highest(land, s, made) + _most_fixed_worth(land, s, made) < least:
            return entered, False
        while entered < made:
            _enter(land, s, entered)
            entered += 1
        _carry(land, s)
        row = _most_off(land, s)
        if row < 0:
            return made, True
        if made < len(s.group):
            part += _ONE
            w0, w1, w2, _ = _four(land, move, part)
            if _excess(land, s, row) > 0.0:
                made = _propose_less(land, s, made, row, w0, w1, w2)
            else:
                made = _propose_more(land, s, made, row, w0)
    return entered, False


@jit
def walk(land, s, first, moves, hot, cooling, enough):
    """Moves `first`.. at temperature hot * exp(cooling * move); ends early at an objective of `enough`.

    Returns the number of changes accepted, or -1 if where it stands breaks a rule.
    """
    if not _start(land, s):
        return -1
    accepted = 0
    for move in range(first, first + moves):
        if s.figures[BEST] >= enough:
            return accepted
        _, _, _, chance = _four(land, np.uint64(move), _ONE)
        least = s.figures[NOW] + hot * math.exp(cooling * move) * math.log(_share(chance))
        made, kept = _change(land, s, np.uint64(move), least)
        kept = kept and _judge(land, s, made, least)
        if kept:
            _accept(land, s)
            accepted += 1
        elif made > 0:
            _take_back(land, s, made)
        _forget(s)
    return accepted
