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

/* Mean and squared deviations of sums. A unit with a value that is not finite has no mean: an infinite one would
 * depend on the order in which parts are added. */
static TARGET void PATH(moments)(double *restrict mean, double *restrict m2, const struct sums *sums, int64_t units,
                                 int64_t samples, int64_t nonfinite)
{
    const double *restrict total = sums->total, *restrict squares = sums->squares, *restrict shift = sums->shift;
    double most = nonfinite ? DBL_MAX : INFINITY, count = samples ? samples : 1;
    for (int64_t unit = 0; unit < units; unit++) {
        double centre = total[unit] / count, middle = centre + shift[unit];
        double spread = squares[unit] - centre * total[unit];
        mean[unit] = middle <= most && middle >= -most ? middle : NAN;
        m2[unit] = spread < 0 ? 0 : spread;
    }
}

static TARGET double PATH(sum)(const double *values, int64_t units, double centre, int squared)
{
    double lanes[LANES] = {0}, sum = 0;
    for (int64_t unit = 0; unit < units; unit += LANES)
        for (int64_t lane = 0; lane < LANES && unit + lane < units; lane++) {
            double value = values[unit + lane] - centre;
            lanes[lane] += squared ? value * value : value;
        }
    for (int lane = 0; lane < LANES; lane++)
        sum += lanes[lane];
    return sum;
}

/* Adds some samples to what all units did together, `before` them so many samples of each. */
static TARGET void PATH(pool)(struct whole *to, const struct part *from, int64_t units, int64_t before)
{
    const int64_t *restrict left = from->left, *restrict right = from->right;
    double low = to->low, high = to->high;
    int64_t flat = 0;
    for (int64_t unit = 0; unit < units; unit++) {
        flat += left[unit] + right[unit];
        low = from->low[unit] < low ? from->low[unit] : low;
        high = from->high[unit] > high ? from->high[unit] : high;
    }
    double mean = PATH(sum)(from->mean, units, 0, 0) / units, all = (double)before + from->samples;
    double m2 = PATH(sum)(from->m2, units, 0, 0) + from->samples * PATH(sum)(from->mean, units, mean, 1);
    double gap = mean - to->mean;
    to->mean = before ? to->mean + gap * (from->samples / all) : mean;
    to->m2 = before ? to->m2 + m2 + gap * gap * (before * (from->samples / all)) * units : m2;
    to->flat += flat;
    to->low = low, to->high = high;
}

/* Chan, Golub & LeVeque 1983, "Algorithms for Computing the Sample Variance". */
static TARGET void PATH(enter)(struct tally *to, const struct part *from, int64_t units, struct panel panel)
{
    uint32_t *restrict left = to->left, *restrict right = to->right;
    double all = (double)to->samples + from->samples, share = from->samples / all, weight = to->samples * share;
    int fresh = !to->samples;
    for (int64_t unit = 0; unit < units; unit++)
        left[unit] = (fresh ? 0 : left[unit]) + (uint32_t)from->left[unit];
    for (int64_t unit = 0; right && unit < units; unit++)
        right[unit] = (fresh ? 0 : right[unit]) + (uint32_t)from->right[unit];
    for (int64_t i = 0; i < panel.units; i++) {
        int64_t unit = panel.places[i];
        double mean = from->mean[unit], m2 = from->m2[unit], low = from->low[unit], high = from->high[unit];
        if (fresh) {
            to->mean[i] = mean, to->m2[i] = m2, to->low[i] = low, to->high[i] = high;
            continue;
        }
        double gap = mean - to->mean[i];
        to->mean[i] += gap * share;
        to->m2[i] += m2 + gap * gap * weight;
        to->low[i] = low < to->low[i] ? low : to->low[i];
        to->high[i] = high > to->high[i] ? high : to->high[i];
    }
    to->samples += from->samples;
    to->nonfinite += from->nonfinite;
}

static TARGET void PATH(merge)(struct tally *to, const struct tally *from, int64_t units, int64_t panel)
{
    uint32_t *restrict left = to->left, *restrict right = to->right;
    double *restrict mean = to->mean, *restrict m2 = to->m2, *restrict low = to->low, *restrict high = to->high;
    double all = (double)to->samples + from->samples, share = from->samples / all, weight = to->samples * share;
    for (int64_t unit = 0; unit < units; unit++)
        left[unit] += from->left[unit];
    for (int64_t unit = 0; right && unit < units; unit++)
        right[unit] += from->right[unit];
    for (int64_t i = 0; i < panel; i++) {
        double gap = from->mean[i] - mean[i];
        mean[i] += gap * share;
        m2[i] += from->m2[i] + gap * gap * weight;
        low[i] = from->low[i] < low[i] ? from->low[i] : low[i];
        high[i] = from->high[i] > high[i] ? from->high[i] : high[i];
    }
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
