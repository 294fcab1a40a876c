"""The compiled engine in the interpreter: its indices are checked, and mutations of its own rules are noticed.

`test_equality` mutates the SimPy engine; here it is the compiled side. To compile a mutant takes half a minute, to
interpret it milliseconds: so all of them are run by one process of `interpreted`, without compilation.

Some changes are no mutations, for nothing can notice them: the order of entries of one day and phase, panels before
agreements, agreements before openings. What those entries do commutes, since they only join queues, give back and
ask for grants, which come last.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.engines import test_equality
from tests.engines.interpreted import in_order
from tests.sizes import size

ROOT = Path(__file__).parent.parent.parent
WORLDS = size(60, 600)
"""Worlds of the engine as it is."""
LIMIT = size(400, 2000)
"""Most worlds of a mutant; nearly all are noticed in the first few."""
HINTS = Path(__file__).parent / "noticed.json"
"""Which world noticed each mutation when the file was written: it is run first. `python -m tests.engines.noticed`
writes it anew; an old hint, or none, costs the time to look through the worlds, and lets no mutant pass."""

Mutations = dict[str, tuple[str, dict[str, str]]]


def of(module: str, named: dict[str, dict[str, str]]) -> Mutations:
    """Mutations of a module."""
    return {name: (f"rdsim.{module}", changes) for name, changes in named.items()}


TIES = of(
    "engines.compiled.contracts",
    {
        "the year ends after work": {"rules.YEAR, rules.WORK,": "rules.WORK, rules.YEAR,"},
        "breaks before work": {"rules.WORK, rules.BREAK,": "rules.BREAK, rules.WORK,"},
        "panels before breaks": {"rules.BREAK, rules.PANEL,": "rules.PANEL, rules.BREAK,"},
        "breaks after panels and agreements": {
            "rules.BREAK, rules.PANEL, rules.AGREEMENT,": "rules.AGREEMENT, rules.BREAK, rules.PANEL,"
        },
    },
) | of(
    "engines.compiled.agenda",
    {
        "a day without phases": {"key = (phase << 24) | order": "key = order"},
        "an early entry comes after the first": {"elif s.key[s.first[day]] > key:": "elif False:"},
        "grants in reverse order": {
            "resource = s.first_due[0]\n": "resource = len(s.granting) - 1\n",
            "        resource += 1\n": "        resource -= 1\n",
        },
        "no grant while one waits": {"if s.waiting[resource] > 0:": "if s.waiting[resource] > 1:"},
        "a grant that is due twice is counted twice": {"if not s.granting[resource]:": "if True:"},
        "the second grant of a day is forgotten": {
            "resource + 1 if s.due[0] > 0 else len(s.granting)": "len(s.granting)"
        },
        "queues in order of arrival": {"while k > 0 and row[k - 1] > p:": "while False:"},
        "queues serve the lowest rank first": {"row[k - 1] > p": "row[k - 1] < p"},
        "who leaves a queue leaves a gap": {"row[j] = row[j + 1]": "row[j] = row[j]"},
    },
)

RULES = of(
    "engines.compiled.contracts",
    {
        "talks round down": {"inline(rules.talk_days)": "inline(lambda days, rate: max(days * rate // 1_000_000, 1))"},
        "money that just fits does not": {"inline(rules.fits)": "inline(lambda amount, purse: amount < purse)"},
        "carry-over rounds up": {
            "inline(rules.carry_over)": "inline(lambda unspent, rate: -(-unspent * rate // 1_000_000))"
        },
        "refund rounds up": {"inline(rules.refund)": "inline(lambda paid, unused, days: -(-paid * unused // days))"},
        "hopeless when just enough is to come": {
            "inline(rules.hopeless)": "inline(lambda amount, purse, announced: amount >= purse + announced)"
        },
        "exchange rate rounds up": {
            "inline(rules.at_rate)": "inline(lambda amount, rate: -(-amount * rate // 1_000_000))"
        },
        "rounds come a day late": {"inline(rules.next_round)": "inline(lambda day: -(-day // 180) * 180 + 1)"},
        "who is just on plan is behind": {
            "inline(gates.threshold)": "inline(lambda lead, *rest: gates.threshold(lead - 1, *rest))"
        },
        "this year's budget is still to come": {".cumsum(axis=1)[:, ::-1] - world.budget": ".cumsum(axis=1)[:, ::-1]"},
    },
)

MONEY = (
    of(
        "engines.compiled.money",
        {
            "never hopeless": {"if paid or hopeless(amount, s.purse[g], s.announced[g, y]):": "if paid:"},
            "claims are never hopeless": {"elif hopeless(": "elif False and hopeless("},
            "strict rules block nobody": {"return c.purse_rule[g] == STRICT": "return False"},
            "first fit blocks all the same": {"return c.purse_rule[g] == STRICT": "return True"},
            "an unpaid claim blocks no project": {
                "blocked = serve_claims(c, u, o, s, g, t)": "serve_claims(c, u, o, s, g, t)"
            },
            "claims after projects": {
                "    if g == c.network:\n        blocked = serve_claims(c, u, o, s, g, t)\n": "",
                "    s.waiting[queue] = kept\n": (
                    "    s.waiting[queue] = kept\n    if g == c.network:\n        serve_claims(c, u, o, s, g, t)\n"
                ),
            },
            "the rate of the first year": {
                "draws.exchange(u, c.currency[p], y)": "draws.exchange(u, c.currency[p], 0)"
            },
            "a paid claim is paid again": {
                "            s.claim[n] = 0\n            s.purse[g] -= amount": "            s.purse[g] -= amount"
            },
            "waiting for money is not counted": {"o.wait_money[p] += t - s.since[p]": "o.wait_money[p] += 0"},
            "what partners ask is not short": {"total += s.claim[n]": "total += 0"},
            "an extension never ends": {"s.extended[p] = False": "s.extended[p] = s.extended[p]"},
        },
    )
    | of(
        "engines.compiled.endings",
        {
            "refund of a day too many": {"unused = s.funded_end[p] - t": "unused = s.funded_end[p] - t + 1"},
            "money abroad is returned after a break": {"if o.lost_partner[p]:": "if False:"},
            "extensions are refunded": {"if unused <= 0 or s.extended[p]:": "if unused <= 0:"},
            "a refund helps nobody": {"s.purse[g] += amount": "s.purse[g] += 0"},
        },
    )
    | of(
        "engines.compiled.loop",
        {
            "nothing lapses": {"s.purse[g] = carried": "s.purse[g] = s.purse[g]"},
            "carried money does not count as carried": {"o.carried_in[g, y] = carried": "o.carried_in[g, y] = 0"},
            "partners cost without projects": {
                "if (kept > 0 or (kept < 0 and s.live[n] > 0)) and s.partner[n]": "if s.partner[n]"
            },
            "a kept partner costs nothing": {"(kept > 0 or (": "(False or ("},
            "who is given up costs": {"(kept < 0 and s.live[n] > 0)": "s.live[n] > 0"},
            "who is stopped goes on": {"        finish(c, o, s, p, t, STOPPED, YES)": "        pass"},
            "attempts are not told": {"    o.attempt[p] = s.attempt[p]\n": ""},
            "the last work is no progress": {"            left -= c.horizon - s.run_from[p]": "            left -= 0"},
            "unused starts add up": {
                "s.starts_left[g] = c.starts[": "s.starts_left[g] += c.starts[",
                "        s.starts_left[g] = 0\n        push(": "        push(",
            },
            "a new year brings no grant": {"        grant_soon(s, purse_of(c, g))\n": ""},
        },
    )
)

GATES = of(
    "engines.compiled.gate",
    {
        "one extension more": {"o.extensions[p] < c.extensions[g]": "o.extensions[p] <= c.extensions[g]"},
        "plans by days worked": {"c.target[p], o.funded_days[p])": "c.target[p], o.worked_days[p])"},
        "due deliverables a tranche late": {"d] <= s.tranche[p] + 1": "d] <= s.tranche[p]"},
        "what is late is not missing": {"o.delivered_day[p, d] < 0:": "o.delivered_day[p, d] < -1:"},
        "what is waived is missing": {"if c.asked[p, d] and 0 < c.due": "if 0 < c.due"},
        "of equals the higher rank is dropped": {"s.score[k] <= s.score[lowest]": "s.score[k] < s.score[lowest]"},
        "no fraction is carried on": {"drops, s.fraction[g] = drop_count(": "drops, _ = drop_count("},
        "rounds are not judged": {
            "        else:\n            decide(c, u, o, s, p, t)\n": (
                "        else:\n            s.tranche[p] += 1\n            ask_money(c, s, p, t)\n"
            )
        },
        "one round and no more": {"if s.round_day[g] != day:": "if s.round_day[g] < 0:"},
        "seats beyond the panel": {"c.seats[q] - s.seats_used[q])": "c.seats[q])"},
        "waiting for a panel is not counted": {
            "o.wait_panel[p] += t - s.since[p]\n        s.stage[p] = AT_REVIEWED": "s.stage[p] = AT_REVIEWED"
        },
        "the last tranche is reviewed": {"if s.tranche[p] + 1 == c.tranches[g]:": "if s.tranche[p] == c.tranches[g]:"},
    },
) | of(
    "engines.compiled.endings",
    {
        "a seat is not given back": {"s.seats_used[q] -= 1": "s.seats_used[q] -= 0"},
        "deliverables from the first day": {"s.ready[p, d] = o.worked_days[p] + needed": "s.ready[p, d] = needed"},
        "handed in when work pauses": {"until - (o.worked_days[p] - s.ready[p, d])": "until"},
        "handed in a day late": {"if before < s.ready[p, d] <= o": "if before < s.ready[p, d] < o"},
        "what needs no work is never handed in": {"if needed == 0:": "if needed < 0:"},
        "work on what is waived": {"if c.asked[p, d] and first": "if first"},
        "work only on what waits for the present TRL": {"first <= c.after_trl[": "s.trl_now[p] <= c.after_trl["},
    },
)

PARTNERS = of(
    "engines.compiled.partnership",
    {
        "nobody keeps a place": {"if found == FULL:": "if False:"},
        "who waits for an opening keeps a place": {"if found == FULL:": "if True:"},
        "a partner opens a day late": {"t < s.closed_until[n]": "t <= s.closed_until[n]"},
        "a place more than there is": {"s.used[n] >= c.places[n]": "s.used[n] > c.places[n]"},
        "stages passed and failed change places": {
            "if not draws.stage_succeeds(u, p, stage):": "if draws.stage_succeeds(u, p, stage):"
        },
        "the last stage is the first": {"if stage + 1 < c.stages[p]:": "if False:"},
        "nothing is learned": {
            "s.pace[p] = c.learning_ppm[min(experience(c, s, p), ": "s.pace[p] = c.learning_ppm[min(0, "
        },
        "a consortium knows what its best member knows": {
            "fewest = np.int64(len(c.programme))": "fewest = np.int64(0)",
            "fewest = min(fewest, s.agreements[n])": "fewest = max(fewest, s.agreements[n])",
        },
        "agreements count for one member": {
            "            s.agreements[c.member[p, m]] += 1\n": (
                "            s.agreements[c.member[p, 0]] += 1\n            break\n"
            )
        },
        "every stage lasts as the first": {"draws.agreement_days(u, p, s.formed[p])": "draws.agreement_days(u, p, 0)"},
        "stages are not dated": {"    o.formed_day[p, stage] = t\n": ""},
        "who falls back is never dropped": {
            "if c.drop_fallback[p]:\n        finish(c, o, s, p, t, DROPPED, NO)": (
                "if False:\n        finish(c, o, s, p, t, DROPPED, NO)"
            )
        },
        "who falls back does as the first project": {
            "if c.drop_fallback[p]:\n        finish(c, o, s, p, t, DROPPED, NO)": (
                "if c.drop_fallback[0]:\n        finish(c, o, s, p, t, DROPPED, NO)"
            )
        },
        "who loses its partner is never dropped": {"elif c.drop_fallback[p]:": "elif False:"},
        "who loses its partner does as the first project": {"elif c.drop_fallback[p]:": "elif c.drop_fallback[0]:"},
        "who falls back stays joint": {
            "    s.joint[p] = False\n    o.fell_back[p] = 1\n    ask_money": "    o.fell_back[p] = 1\n    ask_money"
        },
        "talks go on after a break": {
            "        s.stage[p] = AT_BETWEEN\n        s.token[p] += 1\n": "        s.stage[p] = AT_BETWEEN\n"
        },
        "a request that has become cheaper is not looked at": {"if s.stage[p] == AT_MONEY:": "if False:"},
        "a closed partner opens a day early": {"t + c.closed_days)": "t + c.closed_days - 1)"},
        "partners never close": {"max(s.closed_until[n], t + c.closed_days)": "t"},
        "opening costs no first year": {"c.setup_cost[n] + c.running_cost[n]": "c.setup_cost[n]"},
    },
) | of(
    "engines.compiled.endings",
    {
        "a place is not given back": {"s.used[n] -= s.holding[p]": "s.used[n] -= 0"},
        "a partner never counts fewer projects": {"s.live[n] -= s.counted[p]": "s.live[n] -= 0"},
    },
)

WORK = of(
    "engines.compiled.work",
    {
        "a spillover helps on its own day": {"o.end_day[other] < t": "o.end_day[other] <= t"},
        "a lost partner helps no more": {"c.success[p, step] if s.step_joint[p]": "c.success[p, step] if s.joint[p]"},
        "work goes on without money": {"min(t + s.remaining[p], s.funded_end[p])": "t + s.remaining[p]"},
        "one attempt more": {"s.attempt[p] == c.attempts": "s.attempt[p] > c.attempts"},
        "attempts of all steps add up": {
            "        s.attempt[p] = 0\n        o.trl_day": "        o.trl_day",
        },
        "nobody keeps units": {"s.reserved[f] = s.reserved[f] or need[f] > 0": "s.reserved[f] = False"},
        "units without end": {"s.units[f] + need[f] > c.capacity[f]": "False"},
        "waiting for facilities is not counted": {"o.wait_facility[p] += t - s.since[p]": "o.wait_facility[p] += 0"},
        "an extension counts as no funded days": {
            "o.funded_days[p] += days": "o.funded_days[p] += 0 if s.extended[p] else days"
        },
    },
) | of(
    "engines.compiled.endings",
    {
        "units leak": {"s.units[f] -= need[f]": "s.units[f] -= 0"},
        "what a break stops is not counted": {"o.wait_money[p] += waited": "o.wait_money[p] += 0"},
        "what a stop ends is not counted": {"o.wait_start[p] += waited": "o.wait_start[p] += 0"},
        "who leaves keeps others waiting": {"grant_soon(s, queue)  # it may": "pass  # it may"},
        "stopped before its time counts no wait": {"max(0, t - planned_day(c, p))": "0"},
        "who ends still expects": {"    s.stage[p] = AT_ENDED\n    s.token[p] += 1\n": "    s.stage[p] = AT_ENDED\n"},
        "dependents are not told": {
            "        push(s, t, REQUEST, c.dependent[k], DO_LOOK, NONE, c.dependent[k])": "        pass"
        },
    },
)

LIFE = of(
    "engines.compiled.loop",
    {
        "void entries are honoured": {"if token == 0 or token == s.token[index]:": "if True:"},
        "the horizon is forgotten": {"    close(c, u, o, s)\n": ""},
        "a prerequisite need not have ended": {"met = met and s.stage[other] == AT_ENDED": "met = met and True"},
        "a prerequisite need not have succeeded": {"o.end_state[other] != TARGET)": "False)"},
        "the tranche ends before the step": {
            "    if t == s.funded_end[p]:\n        end_tranche": "    if t >= s.funded_end[p] - 1:\n        end_tranche"
        },
        "markets beyond the horizon": {"if day < c.horizon:": "if True:"},
        "waiting for money at the horizon is not counted": {"o.wait_money[p] += waited": "pass"},
        "waiting for a panel at the horizon is not counted": {"o.wait_panel[p] += waited": "pass"},
        "waiting for units at the horizon is not counted": {"o.wait_facility[p] += waited": "pass"},
        "work at the horizon is not counted": {"count_work(c, o, s, p, c.horizon)": "pass"},
        "what the last year leaves unserved is not short": {
            "o.short[g, last] = open_requests(c, u, s, g, last)": "pass"
        },
        "days wait one too many at the horizon": {"c.horizon - s.since[p]\n": "c.horizon - s.since[p] + 1\n"},
        "seats of another replication": {"    fill(s.seats_used, NONE)\n": ""},
        "units of another replication": {"    fill(s.units, NONE)\n": ""},
        "closed since another replication": {"    s.closed_until[n] = 0\n": ""},
        "a fraction of another replication": {"        s.fraction[g] = 0\n": ""},
        "rounds of another replication": {"        s.round_day[g] = -1\n": ""},
    },
)

USERS = of(
    "engines.compiled.money",
    {
        "a user's rule is not asked whom to pay": {
            "return _verdict(c.pays[g], c, u, s, g, amount, tranche, t)": "return True"
        },
        "a user's rule is not asked who blocks": {
            "return _verdict(c.blocks[g], c, u, s, g, amount, tranche, t)": "return False"
        },
        "a user's rule is told the day of the horizon": {"DAYS_PER_YEAR], t % DAYS_PER_YEAR": "DAYS_PER_YEAR], t"},
        "a user's rule is told the first year's budget": {
            "u.budget[g, t // DAYS_PER_YEAR], t %": "u.budget[g, 0], t %"
        },
        "a user's rule takes a partner for a project": {
            "pays(c, u, s, g, amount, PARTNER_COST, t)": "pays(c, u, s, g, amount, 1, t)"
        },
    },
) | of(
    "engines.compiled.gate",
    {
        "a user's gate is read the other way round": {"return verdict == 1": "return verdict != 1"},
        "a user's gate is told the tolerance for the chance": {
            "call(c.judge[g], ahead, missing, luck, alpha,": "call(c.judge[g], ahead, missing, luck, tolerance,"
        },
        "a user's round carries what it drops": {"left = call(c.left[g]": "left = call(c.drops[g]"},
        "a user's round is not asked": {"if c.drops[g] == 0:": "if True:"},
    },
)

LUCK = (
    of(
        "engines.compiled.draws",
        {
            "drawn days of another attempt": {
                "kernels.step_days(u, t, step, attempt)": "kernels.step_days(u, t, step, 0)"
            },
            "drawn luck of another step": {
                "kernels.step_luck(u, t, step, attempt)": "kernels.step_luck(u, t, 0, attempt)"
            },
            "drawn luck of another review": {"kernels.gate(u, t, review)": "kernels.gate(u, t, review + 1)"},
            "drawn talks of another project": {
                "kernels.agreement_days(u, p, stage)": "kernels.agreement_days(u, 0, stage)"
            },
            "rates of another replication": {"u.rated[currency] = False": "pass"},
            "rates of another currency": {"u.exchange_ppm[currency, year]": "u.exchange_ppm[0, year]"},
        },
    )
    | of(
        "engines.compiled.loop",
        {
            "replications are counted from 0": {"draws.deal(u, first + r)": "draws.deal(u, r)"},
            "what was learned is not forgotten": {"    s.agreements[n] = 0\n": ""},
            "stages passed are not forgotten": {"    s.formed[p] = 0\n": ""},
        },
    )
    | of(
        "luck.kernels",
        {
            "good years are long and unlikely": {"own - loading * factor": "own + loading * factor"},
            "loadings add spread": {"math.sqrt(1.0 - loading * loading) * own": "own"},
            "the factor of another field": {"h.factor[h.field[t]], h.luck_loading)": "h.factor[0], h.luck_loading)"},
            "good years keep markets away": {
                "* quantile(luck) - h.market_factor[h.field[t]]": "* quantile(luck) + h.market_factor[h.field[t]]"
            },
            "markets that share add spread": {"h.market_own * quantile(luck)": "quantile(luck)"},
            "markets share with the first field": {
                "- h.market_factor[h.field[t]]": "- h.market_factor[0]",
            },
            "a field's markets are all markets": {
                "h.market_field_address[x], FIRST)": "h.market_common_address, FIRST)"
            },
            "what all markets share is forgotten": {"= everywhere + _part": "= _part"},
            "a share is taken for a loading": {"return math.sqrt(share) * _score": "return share * _score"},
            "a quiet year of a bloc is missed": {"(h.bloc_bound[b] - h.bloc_part[b]) / own": "h.bloc_bound[b]"},
            "every bloc breaks with the first": {"h.bloc_part[h.bloc[n]]": "h.bloc_part[0]"},
            "a bloc breaks for all years": {"h.bloc_address[b], year)": "h.bloc_address[b], FIRST)"},
            "breaks of a bloc add spread": {"math.sqrt(1.0 - h.bloc_share) * quantile(own)": "quantile(own)"},
            "a bloc's year is that before": {"  enter_year(h, year)\n": "  enter_year(h, max(year - 1, 0))\n"},
            "budgets that share add spread": {"math.sqrt(1.0 - h.budget_common) * own": "own"},
            "budgets share one year": {"h.budget_common_address, year)": "h.budget_common_address, FIRST)"},
            "exchange rates rise in the mean": {" - volatility * volatility / 2.0": ""},
            "budgets are not clipped": {"min(max(factor, h.budget_lowest), h.budget_highest)": "factor"},
            "announced years are uncertain": {"if h.certain[g, year] or announced == 0": "if announced == 0"},
            "every currency moves like the first": {"h.exchange_volatility[currency]": "h.exchange_volatility[0]"},
            "breaks come a day late": {"return year * DAYS_PER_YEAR + int(": "return 1 + year * DAYS_PER_YEAR + int("},
            "days round down": {"math.ceil(min(median": "math.floor(min(median"},
            "stages share their luck": {
                "h.agreement_luck_address[p], FIRST, stage)": "h.agreement_luck_address[p], FIRST, FIRST)"
            },
            "stages share their time": {
                "h.agreement_time_address[p], FIRST, stage)": "h.agreement_time_address[p], FIRST, FIRST)"
            },
            "reviews err alike everywhere": {"* h.review_spread[t]": "* h.review_spread[0]"},
            "experts' spreads change sides": {"if score < 0.0 else h.judged_high": "if score > 0.0 else h.judged_high"},
            "another expert for each attempt": {"STEPS + step, FIRST)": "STEPS + step, attempt)"},
            "experts are picked by the luck of the step": {"STEPS + step, FIRST)": "step, FIRST)"},
            "weights are forgotten": {"pick -= weight": "pick -= 0.5"},
            "quantiles are added up": {"value += weight * own": "value += own"},
        },
    )
    | of(
        "luck.chance",
        {
            "every counterpart is willing": {"chances[p, len(own) - 1] *= _willing(scenario, choice)": "pass"},
            "the counterpart is asked first": {"chances[p, len(own) - 1] *=": "chances[p, 0] *="},
            "a rate is taken for a chance": {
                "-math.expm1(-scenario.partners[code].break_rate)": "scenario.partners[code].break_rate"
            },
            "experts are heard of another step": {'"months", step + 1)': '"months", step)'},
        },
    )
    | of(
        "luck.marginals",
        {
            "times that are laid out have no spread": {
                "score, source.time_sigma[:, None, None])": "score, 0.0 * source.time_sigma[:, None, None])"
            },
            "experts are unheard beside gamma times": {"if (source.judged_step >= 0).any():": "if False:"},
        },
    )
    | of(
        "draws",
        {
            "nine rounds of Philox": {"_ROUNDS = 10": "_ROUNDS = 9"},
            "step and attempt share an address": {
                "(np.uint64(first) << _16) | np.uint64(second)": "np.uint64(first) | np.uint64(second)"
            },
        },
    )
    | of(
        "native.normal",
        {"the quantile's tails change sides": {"return -x if q < 0.0 else x": "return x if q < 0.0 else -x"}},
    )
)

MUTATIONS = TIES | RULES | MONEY | GATES | PARTNERS | WORK | LIFE | USERS | LUCK

# An index from the end finds the same place in an array of Python, and any place at all in compiled code.
WRONG_INDICES = (
    of(
        "engines.compiled.loop",
        {
            "the entry's day is written from the end": {
                "o.trl_day[p, c.trl[p] - 1] = t": "o.trl_day[p, c.trl[p] - 10] = t"
            }
        },
    )
    | of(
        "engines.compiled.endings",
        {"needs are read from the end": {"c.needs[p, s.trl_now[p] - 1]": "c.needs[p, s.trl_now[p] - 9]"}},
    )
    | of(
        "engines.compiled.agenda",
        {
            "a round's queue is behind the last": {
                "2 * len(c.tranches) + 2 + len(c.seats) + g": "2 * len(c.tranches) + 3 + len(c.seats) + g"
            },
            "a queue is read before its begin": {"while k > 0 and row[k - 1] > p:": "while row[k - 1] > p:"},
        },
    )
)


def ask(worlds: int, hints: Path, folder: Path) -> dict[str, dict[str, Any]]:
    """What one run of the program says of the engine and of every mutation, by name."""
    file = folder / "mutations.json"
    file.write_text(json.dumps(MUTATIONS | WRONG_INDICES), encoding="utf-8")
    words = [str(worlds), str(LIMIT), str(file), str(hints)]
    command = [sys.executable, "-W", "error", "-m", "tests.engines.interpreted", *words]
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    ran = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=size(900, 3600)
    )
    assert ran.returncode == 0, ran.stderr
    found = [json.loads(line) for line in ran.stdout.splitlines()]
    return {answer.pop("name"): answer for answer in found}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    return ask(WORLDS, HINTS, tmp_path_factory.mktemp("mutations"))


def test_the_interpreted_engine_gives_the_same_and_takes_no_wrong_index(answers: dict[str, dict[str, Any]]) -> None:
    answer = answers[""]
    assert answer.get("fault") is None
    assert answer["noticed"] is None
    assert answer["worlds"] == WORLDS
    # Enough was looked at: dozens of events in each replication, and numbers that are drawn.
    assert answer["events"] > 100 * WORLDS
    assert answer["numbers"] > 20 * WORLDS


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mutation_of_the_compiled_side_is_noticed(name: str, answers: dict[str, dict[str, Any]]) -> None:
    assert answers[name].get("fault") is None
    assert answers[name]["noticed"], f"{LIMIT} generated worlds do not notice: {name}"


@pytest.mark.parametrize("name", WRONG_INDICES)
def test_a_wrong_index_is_refused(name: str, answers: dict[str, dict[str, Any]]) -> None:
    assert answers[name].get("fault") is None
    assert str(answers[name]["noticed"]).startswith("IndexError")


def test_a_hint_leaves_no_world_out() -> None:
    assert in_order(4) == [0, 1, 2, 3]
    assert in_order(4, 2) == [2, 0, 1, 3]
    assert in_order(2, 7) == [7, 0, 1]


def test_the_page_on_the_house_counts_them() -> None:
    text = " ".join((ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").split())
    assert (
        f"{len(MUTATIONS)} mutations of the compiled rules and draws, {len(WRONG_INDICES)} wrong indices there and "
        f"{len(test_equality.MUTATIONS)} mutations of SimPy's rules are each caught"
    ) in text
