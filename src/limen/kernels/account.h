/* The running account of a site. Part of pass.c. */

/* The account of a site: the current step, and the window of steps that it will be added to. */
struct account {
    int64_t units;
    struct limits limits;
    struct evidence evidence;
    struct panel panel;
    struct tally step, window;
    struct whole whole; /* of the step */
    uint32_t *last;     /* the place of the step in which each unit was last active */
};

#define MOST_SAMPLES INT32_MAX /* of a step; a window may be as long before its last one, and 32 bits hold both */
#define WRONG_UNITS 1
#define TOO_MANY 2

/* Enters sums that stand in the first seven of nine rows. */
static int enter(struct account *account, void *memory, int64_t samples, int64_t nonfinite)
{
    if (account->step.samples + samples > MOST_SAMPLES)
        return TOO_MANY;
    int64_t units = account->units;
    struct sums sums = rows_of(memory, units);
    double *mean = (double *)memory + 7 * units, *m2 = mean + units;
    chosen->moments(mean, m2, &sums, units, samples, nonfinite);
    struct part part = {samples, nonfinite, sums.left, sums.right, mean, m2, sums.low, sums.high};
    chosen->pool(&account->whole, &part, units, account->step.samples);
    chosen->enter(&account->step, &part, units, account->panel);
    return 0;
}

/* Reads one call of the site within the current step. `memory` has nine rows of `units` and is free again afterwards.
 * Returns 0, or why nothing was entered. */
EXPORT int limen_add(struct account *account, const struct layout *layout, const void *data, int threads, void *memory)
{
    if (layout->units != account->units)
        return WRONG_UNITS;
    int64_t nonfinite = measure(layout, data, account->limits, threads, rows_of(memory, account->units));
    return enter(account, memory, samples_of(layout), nonfinite);
}

/* Enters sums that were made elsewhere, in the rows of `limen_measure`, with room for two more behind them. */
EXPORT int limen_add_sums(struct account *account, int64_t samples, int64_t nonfinite, void *memory)
{
    return enter(account, memory, samples, nonfinite);
}

/* Closes the current step, which has samples, and writes its row. `place` is that of the step among those seen; a unit
 * is dead that was not active since the place `dead`. */
EXPORT void limen_commit(struct account *account, int64_t place, int64_t dead, struct row *row)
{
    struct tally *seen = &account->step;
    struct whole *whole = &account->whole;
    const struct evidence *evidence = &account->evidence;
    double all = (double)seen->samples * account->units, variance = whole->m2 / all;
    int64_t silent = chosen->note_activity(account->last, seen, account->units, place, dead);
    *row = (struct row){
        .samples = seen->samples,
        .inactive = whole->flat / all,
        .dead = evidence->dead ? silent : 0,
        .saturated = evidence->bounded ? chosen->saturated(seen, evidence, account->units) : 0,
        .mean = whole->mean,
        .std = variance >= 0 ? sqrt(variance) : NAN,
        .low = whole->low,
        .high = whole->high,
        .nonfinite = seen->nonfinite,
    };
    chosen->merge(&account->window, seen, account->units, account->panel.units);
    seen->samples = seen->nonfinite = 0;
    *whole = (struct whole){.low = INFINITY, .high = -INFINITY};
}
