/* What stays of the windows of an account once they are full. Part of pass.c. */

#define ADD(TYPE, from)                                                                                                \
    for (int64_t i = 0; i < some; i++)                                                                                 \
    sums[i] += ((const TYPE *)(from))[i]
#define KEEP(TYPE, to)                                                                                                 \
    for (int64_t i = 0; i < some; i++)                                                                                 \
    ((TYPE *)(to))[i] = sums[i] - least

/* A stretch of the sums of counts kept so far, if any, and those of a window. Returns its length. */
static int64_t sum_counts(const struct narrow *before, const uint32_t *counts, int64_t begin, int64_t units,
                          int64_t *restrict sums)
{
    int64_t some = units - begin < CHUNK ? units - begin : CHUNK, least = before == NULL ? 0 : before->least;
    const char *above = before == NULL ? NULL : (const char *)before->above + begin * before->width;
    for (int64_t i = 0; i < some; i++)
        sums[i] = counts[begin + i] + least;
    switch (before == NULL ? 0 : before->width) {
    case 1: ADD(uint8_t, above); break;
    case 2: ADD(uint16_t, above); break;
    case 4: ADD(uint32_t, above); break;
    case 8: ADD(uint64_t, above); break;
    }
    return some;
}

/* The least of those sums, and the width that they all need. */
static int64_t width_of(const struct narrow *before, const uint32_t *counts, int64_t units, int64_t *least)
{
    int64_t sums[CHUNK], low = INT64_MAX, high = INT64_MIN;
    for (int64_t begin = 0; begin < units; begin += CHUNK) {
        int64_t some = sum_counts(before, counts, begin, units, sums);
        for (int64_t i = 0; i < some; i++) {
            low = sums[i] < low ? sums[i] : low;
            high = sums[i] > high ? sums[i] : high;
        }
    }
    uint64_t span = (uint64_t)high - low;
    *least = low;
    return !span ? 0 : span <= UINT8_MAX ? 1 : span <= UINT16_MAX ? 2 : span <= UINT32_MAX ? 4 : 8;
}

/* Keeps those sums; `before` may be where they go. */
static void store(struct narrow *to, int64_t least, const struct narrow *before, const uint32_t *counts, int64_t units)
{
    int64_t sums[CHUNK];
    for (int64_t begin = 0; begin < units; begin += CHUNK) {
        int64_t some = sum_counts(before, counts, begin, units, sums);
        char *above = (char *)to->above + begin * to->width;
        switch (to->width) {
        case 1: KEEP(uint8_t, above); break;
        case 2: KEEP(uint16_t, above); break;
        case 4: KEEP(uint32_t, above); break;
        case 8: KEEP(uint64_t, above); break;
        }
    }
    to->least = least;
}

/* Adds what all units did together, `before` and now so many samples of each (Chan, Golub & LeVeque 1983). */
static void pool_whole(struct whole *to, int64_t before, const struct whole *from, int64_t samples, int64_t units)
{
    double all = (double)before + samples, gap = from->mean - to->mean;
    to->flat += from->flat;
    to->mean = before ? to->mean + gap * (samples / all) : from->mean;
    to->m2 = before ? to->m2 + from->m2 + gap * gap * (before * (samples / all)) * units : from->m2;
    to->low = from->low < to->low ? from->low : to->low;
    to->high = from->high > to->high ? from->high : to->high;
}

static void keep_sums(struct kept *to, const struct tally *from, const struct whole *whole, int64_t panel)
{
    size_t size = panel * sizeof(double);
    struct tally *sums = &to->sums;
    memcpy(sums->mean, from->mean, size), memcpy(sums->m2, from->m2, size);
    memcpy(sums->low, from->low, size), memcpy(sums->high, from->high, size);
    sums->samples = from->samples, sums->nonfinite = from->nonfinite;
    to->whole = *whole;
}

/* Begins a window anew. */
static void clear_window(struct account *account)
{
    struct tally *window = &account->window;
    window->steps = window->samples = window->nonfinite = 0;
    for (int64_t unit = 0; unit < account->units; unit++)
        window->left[unit] = 0;
    for (int64_t unit = 0; window->right && unit < account->units; unit++)
        window->right[unit] = 0;
    for (int64_t i = 0; i < account->panel.units; i++) {
        window->mean[i] = window->m2[i] = 0;
        window->low[i] = INFINITY, window->high[i] = -INFINITY;
    }
    account->pooled = (struct whole){.low = INFINITY, .high = -INFINITY};
}

/* Ends the window: it is the last full one, and with those before it all of them. Returns 0; 1, with nothing done,
 * where there is less room than `wanted`, or none. */
EXPORT int limen_roll(struct account *account)
{
    struct tally *window = &account->window;
    struct kept *last = &account->last, *full = &account->full, *before = account->windows > 1 ? full : last;
    const uint32_t *counts[] = {window->left, window->right};
    struct narrow *lasts[] = {&last->left, &last->right}, *fulls[] = {&full->left, &full->right};
    struct narrow *befores[] = {&before->left, &before->right};
    int64_t units = account->units, panel = account->panel.units, least[4], is_first = !account->windows;
    int lacks = last->sums.mean == NULL || (!is_first && full->sums.mean == NULL);
    for (int side = 0; side < 2 && counts[side]; side++) {
        account->wanted[side] = width_of(NULL, counts[side], units, &least[side]);
        account->wanted[2 + side] = is_first ? 0 : width_of(befores[side], counts[side], units, &least[2 + side]);
        lacks |= account->wanted[side] > lasts[side]->width || account->wanted[2 + side] > fulls[side]->width;
    }
    if (lacks)
        return 1;
    for (int side = 0; side < 2 && counts[side]; side++) {
        if (!is_first)
            store(fulls[side], least[2 + side], befores[side], counts[side], units);
        store(lasts[side], least[side], NULL, counts[side], units);
    }
    if (account->windows == 1)
        keep_sums(full, &last->sums, &last->whole, panel);
    if (!is_first) {
        pool_whole(&full->whole, full->sums.samples, &account->pooled, window->samples, units);
        chosen->merge(&full->sums, window, 0, panel);
    }
    keep_sums(last, window, &account->pooled, panel);
    clear_window(account);
    account->windows++;
    return 0;
}
