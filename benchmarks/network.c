/* The simplified network of benchmarks/network.py, for the C compiler: what the compiled engine is held against.
 *
 * The same agenda (a list for each day in order of phase and rank, grants at the end of a day), the same rules, the
 * same outcomes to the day and the won; none of the features that the network does not need.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef int64_t i64;

enum { YEAR = 1, WORK = 2, PANEL = 4, AGREEMENT = 5, REQUEST = 7 };
enum { DO_YEAR, DO_CALL, DO_WORK, DO_REVIEW, DO_TALKS, DO_LOOK };
enum { STARTS, PLACES, PURSE, SEATS, DESKS };
enum { RUNNING, TARGET, STOPPED, FAILED, EXHAUSTED, DROPPED, UNFUNDED };
enum { AT_SCHEDULED, AT_START, AT_PLACE, AT_TALKING, AT_MONEY, AT_WORKING, AT_PANEL, AT_REVIEWED, AT_ENDED };

typedef struct {
    i64 projects, partners, tranches, years, steps, reviews, horizon, seats, review_days, tranche_days;
    const i64 *budget, *starts, *places, *start_year, *partner, *trl, *target, *share;
    const double *success;
    double alpha;
} Network;

typedef struct {
    const double *step_days, *step, *gate;
    const i64 *agreement_days, *market_days;
    const uint8_t *commercial;
} Luck;

typedef struct {
    i64 *end_state, *trl, *start_day, *place_day, *agreement_day, *freed_day, *end_day, *market_day, *reviews;
    i64 *funded_days, *worked_days, *refund, *refund_day, *wait_start, *wait_place, *wait_money, *wait_panel;
    i64 *trl_day, *tranche_day, *paid;
    i64 *new_money, *spent, *refunded, *lapsed, *short_of, *peak_seats, *peak_places;
} Outcomes;

typedef struct { int32_t after, key, kind, index; } Entry;
typedef struct { i64 stage, since, tranche, trl, remaining, run_from, funded_end; } Project;
typedef struct { i64 count; int32_t *row; int due; } Desk;

typedef struct {
    const Network *net;
    Luck luck;
    Outcomes out;
    int32_t *first, *last, free;
    Entry *entries;
    Project *projects;
    Desk desks[DESKS];
    int due;
    i64 *used, *announced;
    uint8_t *reserved;
    int32_t *served;
    i64 purse, starts_left, seats_used;
} World;

static void push(World *w, i64 day, int phase, int order, int kind, int index) {
    if (day >= w->net->horizon) return;
    int32_t node = w->free, key = phase << 24 | order;
    Entry *e = &w->entries[node];
    w->free = e->after;
    e->key = key, e->kind = kind, e->index = index, e->after = -1;
    if (w->first[day] < 0) {
        w->first[day] = w->last[day] = node;
    } else if (w->entries[w->last[day]].key <= key) {
        w->entries[w->last[day]].after = node;
        w->last[day] = node;
    } else if (w->entries[w->first[day]].key > key) {
        e->after = w->first[day];
        w->first[day] = node;
    } else {
        int32_t before = w->first[day];
        while (w->entries[w->entries[before].after].key <= key) before = w->entries[before].after;
        e->after = w->entries[before].after;
        w->entries[before].after = node;
    }
}

static void grant_soon(World *w, int desk) {
    w->due += !w->desks[desk].due;
    w->desks[desk].due = 1;
}

static void wait_for(World *w, i64 t, int p, int stage, int desk) {
    Desk *d = &w->desks[desk];
    i64 k = d->count++;
    w->projects[p].stage = stage, w->projects[p].since = t;
    for (; k > 0 && d->row[k - 1] > p; k--) d->row[k] = d->row[k - 1];
    d->row[k] = p;
    grant_soon(w, desk);
}

static void finish(World *w, int p, i64 t, int state) {
    const Network *n = w->net;
    Project *q = &w->projects[p];
    i64 unused = q->funded_end - t, partner = n->partner[p];
    if (unused > 0) {
        i64 paid = w->out.paid[p * n->tranches + q->tranche];
        i64 back = paid / n->tranche_days * unused + paid % n->tranche_days * unused / n->tranche_days;
        w->purse += back;
        w->out.refund[p] = back, w->out.refund_day[p] = t, w->out.refunded[t / 360] += back;
        grant_soon(w, PURSE);
    }
    w->used[partner]--;
    w->out.freed_day[p] = t;
    if (w->desks[PLACES].count) grant_soon(w, PLACES);
    q->stage = AT_ENDED;
    w->out.end_state[p] = state, w->out.end_day[p] = t;
}

static void run_on(World *w, int p, i64 t) {
    Project *q = &w->projects[p];
    if (q->remaining == 0) {
        double days = ceil(w->luck.step_days[p * w->net->steps + q->trl - 1]);
        q->remaining = days < 1 ? 1 : (i64)days;
    }
    q->stage = AT_WORKING, q->run_from = t;
    i64 end = t + q->remaining;
    push(w, end < q->funded_end ? end : q->funded_end, WORK, p, DO_WORK, p);
}

static void work(World *w, int p, i64 t) {
    const Network *n = w->net;
    Project *q = &w->projects[p];
    i64 done = t - q->run_from;
    q->remaining -= done;
    w->out.worked_days[p] += done;
    if (q->remaining == 0) {
        i64 at = p * n->steps + q->trl - 1;
        if (w->luck.step[at] >= n->success[at]) { finish(w, p, t, FAILED); return; }
        w->out.trl_day[p * 9 + q->trl] = t;
        if (++q->trl == n->target[p]) { finish(w, p, t, TARGET); return; }
    }
    if (t < q->funded_end) run_on(w, p, t);
    else if (q->tranche + 1 == n->tranches) finish(w, p, t, EXHAUSTED);
    else wait_for(w, t, p, AT_PANEL, SEATS);
}

static void review(World *w, int p, i64 t) {
    Project *q = &w->projects[p];
    w->seats_used--;
    if (w->desks[SEATS].count) grant_soon(w, SEATS);
    double luck = w->luck.gate[p * w->net->reviews + w->out.reviews[p]++];
    if (luck >= w->net->alpha) {
        q->tranche++;
        wait_for(w, t, p, AT_MONEY, PURSE);
    } else {
        finish(w, p, t, STOPPED);
    }
}

static void grant_starts(World *w, i64 t) {
    Desk *d = &w->desks[STARTS];
    i64 n = d->count < w->starts_left ? d->count : w->starts_left;
    memcpy(w->served, d->row, (size_t)n * sizeof *d->row);
    memmove(d->row, d->row + n, (size_t)(d->count - n) * sizeof *d->row);
    d->count -= n, w->starts_left -= n;
    for (i64 k = 0; k < n; k++) {
        int p = w->served[k];
        w->out.start_day[p] = t, w->out.wait_start[p] = t - w->projects[p].since;
        w->out.trl_day[p * 9 + w->projects[p].trl - 1] = t;
        wait_for(w, t, p, AT_PLACE, PLACES);
    }
}

static void grant_places(World *w, i64 t) {
    const Network *n = w->net;
    Desk *d = &w->desks[PLACES];
    i64 served = 0, kept = 0;
    memset(w->reserved, 0, (size_t)n->partners);
    for (i64 k = 0; k < d->count; k++) {
        int p = d->row[k];
        i64 partner = n->partner[p];
        if (w->used[partner] < n->places[partner] && !w->reserved[partner]) {
            w->used[partner]++;
            if (w->used[partner] > w->out.peak_places[partner]) w->out.peak_places[partner] = w->used[partner];
            w->out.place_day[p] = t;
            w->served[served++] = p;
        } else {
            w->reserved[partner] = 1;
            d->row[kept++] = p;
        }
    }
    d->count = kept;
    for (i64 k = 0; k < served; k++) {
        int p = w->served[k];
        w->out.wait_place[p] += t - w->projects[p].since;
        w->projects[p].stage = AT_TALKING;
        push(w, t + w->luck.agreement_days[p], AGREEMENT, p, DO_TALKS, p);
    }
}

static i64 request(const World *w, int p) { return w->net->share[p * w->net->tranches + w->projects[p].tranche]; }

static void grant_money(World *w, i64 t) {
    const Network *n = w->net;
    Desk *d = &w->desks[PURSE];
    i64 served = 0, kept = 0, y = t / 360;
    int blocked = 0;
    for (i64 k = 0; k < d->count; k++) {
        int p = d->row[k];
        Project *q = &w->projects[p];
        i64 amount = request(w, p);
        int paid = !blocked && amount <= w->purse;
        if (!paid && amount <= w->purse + w->announced[y]) {
            blocked = 1;
            d->row[kept++] = p;
            continue;
        }
        w->served[served++] = p;
        w->out.wait_money[p] += t - q->since;
        if (paid) {
            w->purse -= amount;
            w->out.spent[y] += amount;
            w->out.tranche_day[p * n->tranches + q->tranche] = t;
            w->out.paid[p * n->tranches + q->tranche] = amount;
        }
    }
    d->count = kept;
    for (i64 k = 0; k < served; k++) {
        int p = w->served[k];
        Project *q = &w->projects[p];
        if (w->out.tranche_day[p * n->tranches + q->tranche] != t) { finish(w, p, t, UNFUNDED); continue; }
        q->funded_end = t + n->tranche_days;
        w->out.funded_days[p] += n->tranche_days;
        run_on(w, p, t);
    }
}

static void grant_seats(World *w, i64 t) {
    Desk *d = &w->desks[SEATS];
    i64 room = w->net->seats - w->seats_used, n = d->count < room ? d->count : room;
    w->seats_used += n;
    if (w->seats_used > *w->out.peak_seats) *w->out.peak_seats = w->seats_used;
    for (i64 k = 0; k < n; k++) {
        int p = d->row[k];
        w->out.wait_panel[p] += t - w->projects[p].since;
        w->projects[p].stage = AT_REVIEWED;
        push(w, t + w->net->review_days, PANEL, p, DO_REVIEW, p);
    }
    d->count -= n;
    memmove(d->row, d->row + n, (size_t)d->count * sizeof *d->row);
}

static i64 unserved(const World *w) {
    i64 total = 0;
    for (i64 k = 0; k < w->desks[PURSE].count; k++) total += request(w, w->desks[PURSE].row[k]);
    return total;
}

static void end_year(World *w, i64 t) {
    i64 y = t / 360;
    if (y > 0) w->out.short_of[y - 1] = unserved(w), w->out.lapsed[y - 1] = w->purse;
    w->out.new_money[y] = w->purse = w->net->budget[y];
    w->starts_left = 0;
    push(w, t, YEAR, 1, DO_CALL, 0);
    grant_soon(w, PURSE);
    push(w, t + 360, YEAR, 0, DO_YEAR, 0);
}

static void handle(World *w, const Entry *e, i64 t) {
    int p = e->index;
    switch (e->kind) {
    case DO_WORK: work(w, p, t); break;
    case DO_REVIEW: review(w, p, t); break;
    case DO_TALKS: w->out.agreement_day[p] = t; wait_for(w, t, p, AT_MONEY, PURSE); break;
    case DO_LOOK: wait_for(w, t, p, AT_START, STARTS); break;
    case DO_CALL: w->starts_left = w->net->starts[t / 360]; grant_soon(w, STARTS); break;
    default: end_year(w, t);
    }
}

static void grant(World *w, i64 t) {
    int desk = 0;
    while (!w->desks[desk].due) desk++;
    w->desks[desk].due = 0, w->due--;
    switch (desk) {
    case STARTS: grant_starts(w, t); break;
    case PLACES: grant_places(w, t); break;
    case PURSE: grant_money(w, t); break;
    default: grant_seats(w, t);
    }
}

static void prepare(World *w) {
    const Network *n = w->net;
    for (int k = 0; k < DESKS; k++) w->desks[k].count = w->desks[k].due = 0;
    w->due = 0, w->purse = w->starts_left = w->seats_used = 0;
    memset(w->used, 0, (size_t)n->partners * sizeof *w->used);
    push(w, 0, YEAR, 0, DO_YEAR, 0);
    for (int p = 0; p < n->projects; p++) {
        w->projects[p] = (Project){.trl = n->trl[p], .funded_end = -1};
        push(w, n->start_year[p] * 360, REQUEST, p, DO_LOOK, p);
    }
}

static void close_all(World *w) {
    const Network *n = w->net;
    w->out.lapsed[n->years - 1] = w->purse, w->out.short_of[n->years - 1] = unserved(w);
    for (int p = 0; p < n->projects; p++) {
        Project *q = &w->projects[p];
        i64 waited = n->horizon - q->since;
        if (q->stage == AT_START) w->out.wait_start[p] += waited;
        if (q->stage == AT_PLACE) w->out.wait_place[p] += waited;
        if (q->stage == AT_MONEY) w->out.wait_money[p] += waited;
        if (q->stage == AT_PANEL) w->out.wait_panel[p] += waited;
        if (q->stage == AT_WORKING) w->out.worked_days[p] += n->horizon - q->run_from;
        w->out.trl[p] = q->trl;
        i64 market = w->out.end_day[p] + w->luck.market_days[p];
        if (w->out.end_state[p] == TARGET && w->luck.commercial[p] && market < n->horizon) w->out.market_day[p] = market;
    }
}

static i64 live(World *w) {
    i64 events = 0, t = 0, horizon = w->net->horizon;
    prepare(w);
    while (t < horizon) {
        int32_t node = w->first[t];
        if (node >= 0) {
            Entry e = w->entries[node];
            w->first[t] = e.after;
            w->entries[node].after = w->free;
            w->free = node;
            handle(w, &e, t);
            events++;
        } else if (w->due) {
            grant(w, t);
            events++;
        } else {
            for (t++; t < horizon && w->first[t] < 0; t++) {}
        }
    }
    close_all(w);
    return events;
}

/* Blank the outcomes of a replication: days are -1, the rest is 0. */
static void wipe(const Network *n, Outcomes *o) {
    size_t p = (size_t)n->projects * sizeof(i64), k = p * (size_t)n->tranches, y = (size_t)n->years * sizeof(i64);
    i64 *unset[] = {o->start_day, o->place_day, o->agreement_day, o->freed_day, o->end_day, o->market_day, o->refund_day};
    i64 *zero[] = {o->end_state, o->trl, o->reviews, o->funded_days, o->worked_days, o->refund,
                   o->wait_start, o->wait_place, o->wait_money, o->wait_panel};
    i64 *money[] = {o->new_money, o->spent, o->refunded, o->lapsed, o->short_of};
    for (size_t j = 0; j < sizeof unset / sizeof *unset; j++) memset(unset[j], 0xFF, p);
    for (size_t j = 0; j < sizeof zero / sizeof *zero; j++) memset(zero[j], 0, p);
    for (size_t j = 0; j < sizeof money / sizeof *money; j++) memset(money[j], 0, y);
    memset(o->trl_day, 0xFF, 9 * p), memset(o->tranche_day, 0xFF, k), memset(o->paid, 0, k);
    memset(o->peak_seats, 0, sizeof(i64)), memset(o->peak_places, 0, (size_t)n->partners * sizeof(i64));
}

/* Move every table on by one replication. */
static void next(const Network *n, Luck *l, Outcomes *o) {
    i64 p = n->projects;
    l->step_days += p * n->steps, l->step += p * n->steps, l->gate += p * n->reviews;
    l->agreement_days += p, l->market_days += p, l->commercial += p;
    i64 **of_projects[] = {&o->end_state, &o->trl, &o->start_day, &o->place_day, &o->agreement_day, &o->freed_day,
                           &o->end_day, &o->market_day, &o->reviews, &o->funded_days, &o->worked_days, &o->refund,
                           &o->refund_day, &o->wait_start, &o->wait_place, &o->wait_money, &o->wait_panel};
    i64 **of_years[] = {&o->new_money, &o->spent, &o->refunded, &o->lapsed, &o->short_of};
    for (size_t j = 0; j < sizeof of_projects / sizeof *of_projects; j++) *of_projects[j] += p;
    for (size_t j = 0; j < sizeof of_years / sizeof *of_years; j++) *of_years[j] += n->years;
    o->trl_day += 9 * p, o->tranche_day += p * n->tranches, o->paid += p * n->tranches;
    o->peak_seats += 1, o->peak_places += n->partners;
}

/* Run replications one after another; returns the number of events, or -1 without memory. */
i64 run(const Network *n, const Luck *luck, const Outcomes *out, i64 replications) {
    World w = {.net = n, .luck = *luck, .out = *out};
    i64 nodes = 4 * n->projects + 64, events = 0;
    w.first = malloc((size_t)n->horizon * sizeof *w.first);
    w.last = malloc((size_t)n->horizon * sizeof *w.last);
    w.entries = malloc((size_t)nodes * sizeof *w.entries);
    w.projects = malloc((size_t)n->projects * sizeof *w.projects);
    w.served = malloc((size_t)n->projects * sizeof *w.served);
    w.used = malloc((size_t)n->partners * sizeof *w.used);
    w.reserved = malloc((size_t)n->partners);
    w.announced = calloc((size_t)n->years, sizeof *w.announced);
    int ok = w.first && w.last && w.entries && w.projects && w.served && w.used && w.reserved && w.announced;
    for (int k = 0; k < DESKS; k++) ok &= !!(w.desks[k].row = malloc((size_t)n->projects * sizeof(int32_t)));
    if (ok) {
        for (i64 t = 0; t < n->horizon; t++) w.first[t] = -1;
        for (i64 k = 0; k < nodes; k++) w.entries[k].after = k + 1 < nodes ? (int32_t)k + 1 : -1;
        for (i64 y = n->years - 2; y >= 0; y--) w.announced[y] = w.announced[y + 1] + n->budget[y + 1];
        for (i64 r = 0; r < replications; r++, next(n, &w.luck, &w.out)) {
            wipe(n, &w.out);
            events += live(&w);
        }
    }
    free(w.first), free(w.last), free(w.entries), free(w.projects), free(w.served);
    free(w.used), free(w.reserved), free(w.announced);
    for (int k = 0; k < DESKS; k++) free(w.desks[k].row);
    return ok ? events : -1;
}
