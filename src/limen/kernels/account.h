/* The running account of a site. Part of pass.c. */

/* The account of a site: the current step, and the window of steps that it will be added to. */
struct account {
    int64_t units;
    struct limits limits;
    struct evidence evidence;
    struct tally part, step, window;
    double *total, *squares, *shift;
    struct silence silence;
};

static struct tally *place_for_sums(struct account *account)
{
    return account->step.samples ? &account->part : &account->step;
}

static void enter(struct account *account, struct tally *sums, int64_t samples, int64_t nonfinite)
{
    sums->samples = samples, sums->nonfinite = nonfinite;
    chosen->moments(sums, account->total, account->squares, account->shift, account->units);
    if (sums == &account->part)
        chosen->merge(&account->step, sums, account->units);
}

/* Reads one call of the site within the current step; returns 0 where its units are not those of the site. */
EXPORT int limen_add(struct account *account, const struct layout *layout, const void *data, int threads)
{
    if (layout->units != account->units)
        return 0;
    struct tally *to = place_for_sums(account);
    struct sums out = {to->left,         to->right, account->total, account->squares,
                       account->shift, to->low,   to->high};
    int64_t nonfinite = measure(layout, data, account->limits, threads, out);
    enter(account, to, samples_of(layout), nonfinite);
    return 1;
}

/* Enters sums that were made elsewhere, in the rows of `limen_measure`. */
EXPORT void limen_add_sums(struct account *account, int64_t samples, int64_t nonfinite, void *memory)
{
    struct tally *to = place_for_sums(account);
    struct sums from = rows_of(memory, account->units);
    size_t bytes = account->units * sizeof(double);
    memcpy(to->left, from.left, bytes), memcpy(to->right, from.right, bytes);
    memcpy(to->low, from.low, bytes), memcpy(to->high, from.high, bytes);
    memcpy(account->total, from.total, bytes), memcpy(account->squares, from.squares, bytes);
    memcpy(account->shift, from.shift, bytes);
    enter(account, to, samples, nonfinite);
}

/* Closes the current step under its number and writes its row; returns 0 where nothing was read. */
EXPORT int limen_commit(struct account *account, int64_t number, struct row *row)
{
    struct tally *seen = &account->step;
    if (!seen->samples)
        return 0;
    chosen->summarise(seen, &account->evidence, account->units, row);
    row->dead = chosen->note_activity(&account->silence, seen, &account->evidence, account->units, number);
    chosen->merge(&account->window, seen, account->units);
    seen->samples = seen->nonfinite = 0;
    return 1;
}
