/* The running account of a site. Part of pass.c. */

/* When units were last active, as silence.py describes it. */
struct silence {
    int64_t dead_samples, dead_steps, place, samples, enough, length, room;
    int64_t *steps; /* [3][room]: places, their numbers, and the samples seen until then; `length` of each */
    uint32_t *last; /* the place of the step in which each unit was last active */
};

/* The account of a site: the current step, the window of steps that it will be added to, and what is kept of windows
 * that were full. */
struct account {
    int64_t units;
    struct limits limits;
    struct evidence evidence;
    struct panel panel;
    struct tally step, window;
    struct whole whole; /* of the step */
    int64_t gradients;  /* that were entered in the step */
    double gradient;    /* the norm of all of them */
    struct silence silence;
    struct whole pooled;    /* of the window */
    int64_t windows;        /* that were full */
    struct kept last, full; /* of them: the last, and all from the second on */
    int64_t wanted[4];      /* widths that the next needs: of `last`, left and right, and of `full` */
};

#include "windows.h"

#define MOST_SAMPLES INT32_MAX /* of a step; a window may be as long before its last one, and 32 bits hold both */
#define WRONG_UNITS 1
#define TOO_MANY 2

/* Enters sums that stand in seven rows. */
static int enter(struct account *account, void *memory, int64_t samples, int64_t nonfinite)
{
    if (account->step.samples + samples > MOST_SAMPLES)
        return TOO_MANY;
    int64_t units = account->units;
    struct sums sums = rows_of(memory, units);
    chosen->moments(&sums, units, samples, nonfinite);
    struct part part = {samples, nonfinite, sums.left, sums.right, sums.total, sums.squares, sums.low, sums.high};
    chosen->pool(&account->whole, &part, units, account->step.samples);
    chosen->enter(&account->step, &part, units, account->panel);
    return 0;
}

/* Reads one call of the site within the current step. `memory` has seven rows of `units` and is free again afterwards.
 * Returns 0, or why nothing was entered. */
EXPORT int limen_add(struct account *account, const struct layout *layout, const void *data, int threads, void *memory)
{
    if (layout->units != account->units)
        return WRONG_UNITS;
    int64_t nonfinite = measure(layout, data, account->limits, threads, rows_of(memory, account->units));
    return enter(account, memory, samples_of(layout), nonfinite);
}

/* Enters sums that were made elsewhere, in the rows of `limen_measure`, which are free afterwards. */
EXPORT int limen_add_sums(struct account *account, int64_t samples, int64_t nonfinite, void *memory)
{
    return enter(account, memory, samples, nonfinite);
}

/* sqrt(a² + b²) of norms, which may be infinite or NaN, without libm. */
static double both_norms(double a, double b)
{
    double most = a > b ? a : b, least = a > b ? b : a;
    if (isinf(a) || isinf(b))
        return INFINITY;
    return most > 0 ? most * sqrt(1 + least / most * (least / most)) : most + least;
}

/* Enters the norm of a gradient. */
EXPORT void limen_add_norm(struct account *account, double norm)
{
    account->gradient = account->gradients ? both_norms(account->gradient, norm) : norm;
    account->gradients++;
}

/* Enters a gradient whose entries lie one after the other. Returns 0; -1 where its norm could not be taken. */
EXPORT int limen_add_gradient(struct account *account, int64_t entries, int64_t type, const void *data, int threads)
{
    double norm;
    if (limen_norms(1, &data, &entries, &type, threads, &norm))
        return -1;
    limen_add_norm(account, norm);
    return 0;
}

static int is_enough(const struct silence *silence, int64_t i)
{
    return i < silence->length && silence->place - silence->steps[i] >= silence->dead_steps &&
           silence->samples - silence->steps[2 * silence->room + i] >= silence->dead_samples;
}

/* Begins with a step: `Silence.open`, where there is room. Returns the last place at which a unit that is dead now was
 * active; -1 for none. */
static int64_t open_step(struct silence *silence, int64_t number, int64_t samples)
{
    silence->place++;
    silence->samples += samples;
    while (is_enough(silence, silence->enough + 1))
        silence->enough++;
    int64_t dead = silence->enough < 0 ? -1 : silence->steps[silence->enough], *next = silence->steps + silence->length;
    next[0] = silence->place, next[silence->room] = number, next[2 * silence->room] = silence->samples;
    silence->length++;
    return dead;
}

/* Closes the current step, which has samples. */
static struct row close_step(struct account *account, int64_t number)
{
    struct tally *seen = &account->step;
    struct whole *whole = &account->whole;
    struct silence *silence = &account->silence;
    const struct evidence *evidence = &account->evidence;
    double all = (double)seen->samples * account->units, variance = whole->m2 / all;
    int64_t dead = open_step(silence, number, seen->samples);
    int64_t silent = chosen->note_activity(silence->last, seen, account->units, silence->place, dead);
    struct row row = {
        .samples = seen->samples,
        .inactive = whole->flat / all,
        .dead = evidence->dead ? silent : 0,
        .saturated = evidence->bounded ? chosen->saturated(seen, evidence, account->units) : 0,
        .mean = whole->mean,
        .std = variance >= 0 ? sqrt(variance) : NAN,
        .low = whole->low,
        .high = whole->high,
        .gradient = account->gradients ? account->gradient : NAN,
        .nonfinite = seen->nonfinite,
    };
    pool_whole(&account->pooled, account->window.samples, whole, seen->samples, account->units);
    chosen->merge(&account->window, seen, account->units, account->panel.units);
    account->window.steps++;
    seen->samples = seen->nonfinite = 0;
    *whole = (struct whole){.low = INFINITY, .high = -INFINITY};
    return row;
}

/* Whether the window is long enough to be taken, or there is no room for another step. */
static int is_full(const struct account *account)
{
    const struct tally *window = &account->window;
    const struct silence *silence = &account->silence;
    int is_long = window->steps >= silence->dead_steps && window->samples >= silence->dead_samples;
    return is_long || window->samples > MOST_SAMPLES || silence->length == silence->room;
}

/* Closes the current step of some accounts under its number and writes their rows, all zeros for one that has no
 * samples. Returns how many are full: those must not be given another step like that. */
EXPORT int64_t limen_commit(int64_t accounts, struct account *const *all, int64_t number, struct row *rows)
{
    int64_t full = 0;
    for (int64_t i = 0; i < accounts; i++) {
        rows[i] = all[i]->step.samples ? close_step(all[i], number) : (struct row){0};
        all[i]->gradients = 0;
        full += is_full(all[i]);
    }
    return full;
}

/* Accounts whose steps are closed together, and room for the rows and the numbers of so many steps at `most`. */
struct ledger {
    int64_t accounts, steps, most, is_full;
    struct account *const *all;
    int64_t *numbers; /* [most] */
    struct row *rows; /* [most][accounts] */
};

/* Closes the current step of all accounts under its number. Returns whether the rows must be taken before the next; -1,
 * with nothing done, where they had to be. */
EXPORT int limen_close(struct ledger *ledger, int64_t number)
{
    if (ledger->is_full)
        return -1;
    struct row *rows = ledger->rows + ledger->steps * ledger->accounts;
    int64_t full = limen_commit(ledger->accounts, ledger->all, number, rows);
    ledger->numbers[ledger->steps++] = number;
    ledger->is_full = full || ledger->steps == ledger->most;
    return ledger->is_full != 0;
}
