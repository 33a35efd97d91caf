/* What follows from the sums of a tensor, unit by unit. Part of path.h. */

/* Whether a unit's mean is so far from 0 that its variance would lose digits; whether all values are finite. */
static TARGET int PATH(cancels)(const struct sums *sums, int64_t units, int64_t samples, int *finite)
{
    const double *total = sums->total, *squares = sums->squares;
    double share = 1.0 / samples;
    int64_t lost = 0, broken = 0;
    for (int64_t unit = 0; unit < units; unit++) {
        double mean = total[unit] * share, square = mean * mean;
        lost |= square > CANCELLATION * (squares[unit] * share - square);
        broken |= !(squares[unit] <= DBL_MAX);
    }
    *finite = !broken;
    return lost != 0;
}

/* Turns totals into means and squares into squared deviations. A unit with a value that is not finite has no mean: an
 * infinite one would depend on the order in which parts are added. */
static TARGET void PATH(moments)(const struct sums *sums, int64_t units, int64_t samples, int64_t nonfinite)
{
    double *restrict total = sums->total, *restrict squares = sums->squares;
    const double *restrict shift = sums->shift;
    double most = nonfinite ? DBL_MAX : INFINITY, count = samples ? samples : 1;
    for (int64_t unit = 0; unit < units; unit++) {
        double centre = total[unit] / count, middle = centre + shift[unit];
        double spread = squares[unit] - centre * total[unit];
        total[unit] = middle <= most && middle >= -most ? middle : NAN;
        squares[unit] = spread < 0 ? 0 : spread;
    }
}

/* A row of sixteen lanes; of fewer units a copy with `nothing` in the other lanes. */
INLINE const double *PATH(row)(const double *from, int64_t units, double nothing, double *room)
{
    if (units >= LANES)
        return from;
    for (int64_t lane = 0; lane < LANES; lane++)
        room[lane] = lane < units ? from[lane] : nothing;
    return room;
}

INLINE double PATH(sum)(const double *values, int64_t units, double centre, int squared)
{
    DOUBLES sums[LANES / NARROW] = {0}, z;
    double room[LANES], lanes[LANES], sum = 0;
    for (int64_t unit = 0; unit < units; unit += LANES) {
        const double *row = PATH(row)(values + unit, units - unit, centre, room);
        UNROLL for (int v = 0; v < LANES / NARROW; v++) {
            LOAD(z, row + v * NARROW);
            z -= centre;
            sums[v] += squared ? z * z : z;
        }
    }
    memcpy(lanes, sums, sizeof lanes);
    for (int lane = 0; lane < LANES; lane++)
        sum += lanes[lane];
    return sum;
}

INLINE void PATH(widen)(struct whole *to, const struct part *from, int64_t units)
{
    DOUBLES low = SPREAD(DOUBLES, to->low), high = SPREAD(DOUBLES, to->high), z;
    double room[LANES], lows[NARROW], highs[NARROW];
    for (int64_t unit = 0; unit < units; unit += LANES) {
        const double *row = PATH(row)(from->low + unit, units - unit, INFINITY, room);
        UNROLL for (int v = 0; v < LANES / NARROW; v++)
            LOAD(z, row + v * NARROW), low = LEAST64(z, low);
        row = PATH(row)(from->high + unit, units - unit, -INFINITY, room);
        UNROLL for (int v = 0; v < LANES / NARROW; v++)
            LOAD(z, row + v * NARROW), high = MOST64(z, high);
    }
    STORE(low, lows), STORE(high, highs);
    for (int lane = 0; lane < NARROW; lane++) {
        to->low = lows[lane] < to->low ? lows[lane] : to->low;
        to->high = highs[lane] > to->high ? highs[lane] : to->high;
    }
}

/* Adds some samples to what all units did together, `before` them so many samples of each. */
static TARGET void PATH(pool)(struct whole *to, const struct part *from, int64_t units, int64_t before)
{
    const int64_t *restrict left = from->left, *restrict right = from->right;
    int64_t flat = 0;
    for (int64_t unit = 0; unit < units; unit++)
        flat += left[unit] + right[unit];
    double mean = PATH(sum)(from->mean, units, 0, 0) / units, all = (double)before + from->samples;
    double m2 = PATH(sum)(from->m2, units, 0, 0) + from->samples * PATH(sum)(from->mean, units, mean, 1);
    double gap = mean - to->mean;
    to->mean = before ? to->mean + gap * (from->samples / all) : mean;
    to->m2 = before ? to->m2 + m2 + gap * gap * (before * (from->samples / all)) * units : m2;
    to->flat += flat;
    PATH(widen)(to, from, units);
}

/* Chan, Golub & LeVeque 1983, "Algorithms for Computing the Sample Variance". */
INLINE void PATH(combine)(const struct tally *to, int64_t samples, const double *restrict mean,
                          const double *restrict m2, const double *restrict low, const double *restrict high,
                          int64_t panel)
{
    double *restrict means = to->mean, *restrict m2s = to->m2, *restrict lows = to->low, *restrict highs = to->high;
    double all = (double)to->samples + samples, share = samples / all, weight = to->samples * share;
    for (int64_t i = 0; i < panel; i++) {
        double gap = mean[i] - means[i];
        means[i] += gap * share;
        m2s[i] += m2[i] + gap * gap * weight;
        lows[i] = low[i] < lows[i] ? low[i] : lows[i];
        highs[i] = high[i] > highs[i] ? high[i] : highs[i];
    }
}

/* Adds some samples; of the part the panel is left. */
static TARGET void PATH(enter)(struct tally *to, const struct part *from, int64_t units, struct panel panel)
{
    uint32_t *restrict left = to->left, *restrict right = to->right;
    int64_t size = panel.units * sizeof(double);
    if (panel.units < units)
        gather(from->mean, panel), gather(from->m2, panel), gather(from->low, panel), gather(from->high, panel);
    if (to->samples) {
        for (int64_t unit = 0; unit < units; unit++)
            left[unit] += (uint32_t)from->left[unit];
        for (int64_t unit = 0; right && unit < units; unit++)
            right[unit] += (uint32_t)from->right[unit];
        PATH(combine)(to, from->samples, from->mean, from->m2, from->low, from->high, panel.units);
    } else {
        for (int64_t unit = 0; unit < units; unit++)
            left[unit] = from->left[unit];
        for (int64_t unit = 0; right && unit < units; unit++)
            right[unit] = from->right[unit];
        memcpy(to->mean, from->mean, size), memcpy(to->m2, from->m2, size);
        memcpy(to->low, from->low, size), memcpy(to->high, from->high, size);
    }
    to->samples += from->samples;
    to->nonfinite += from->nonfinite;
}

static TARGET void PATH(merge)(struct tally *to, const struct tally *from, int64_t units, int64_t panel)
{
    uint32_t *restrict left = to->left, *restrict right = to->right;
    for (int64_t unit = 0; unit < units; unit++)
        left[unit] += from->left[unit];
    for (int64_t unit = 0; right && unit < units; unit++)
        right[unit] += from->right[unit];
    PATH(combine)(to, from->samples, from->mean, from->m2, from->low, from->high, panel);
    to->samples += from->samples;
    to->nonfinite += from->nonfinite;
}

/* Notes where each unit was active and returns how many were not since the place `dead`; none where that is -1. */
static TARGET int64_t PATH(note_activity)(uint32_t *restrict last, const struct tally *seen, int64_t units,
                                          int64_t place, int64_t dead)
{
    const uint32_t *restrict left = seen->left;
    uint32_t now = seen->samples, here = place, limit = dead < 0 ? 0 : dead;
    int64_t found = 0;
    for (int64_t unit = 0; unit < units; unit++) {
        uint32_t since = left[unit] >= now ? last[unit] : here;
        last[unit] = since;
        found += since <= limit;
    }
    return dead < 0 ? 0 : found;
}

static TARGET int64_t PATH(saturated)(const struct tally *seen, const struct evidence *evidence, int64_t units)
{
    const uint32_t *restrict left = seen->left, *restrict right = seen->right;
    double limit = evidence->saturated * seen->samples;
    int64_t found = 0;
    for (int64_t unit = 0; unit < units; unit++) {
        double flat = (right ? right[unit] : 0.0) + (evidence->dead ? 0.0 : left[unit]);
        found += flat >= limit;
    }
    return found;
}
