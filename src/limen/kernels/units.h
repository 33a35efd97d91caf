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
static TARGET void PATH(moments)(struct tally *to, const double *restrict total, const double *restrict squares,
                                 const double *restrict shift, int64_t units)
{
    double *restrict mean = to->mean, *restrict m2 = to->m2, most = to->nonfinite ? DBL_MAX : INFINITY;
    double samples = to->samples ? to->samples : 1;
    for (int64_t unit = 0; unit < units; unit++) {
        double centre = total[unit] / samples, middle = centre + shift[unit];
        double spread = squares[unit] - centre * total[unit];
        mean[unit] = middle <= most && middle >= -most ? middle : NAN;
        m2[unit] = spread < 0 ? 0 : spread;
    }
}

/* Chan, Golub & LeVeque 1983, "Algorithms for Computing the Sample Variance". */
static TARGET void PATH(merge)(struct tally *to, const struct tally *from, int64_t units)
{
    int64_t samples = to->samples + from->samples;
    int64_t *restrict left = to->left, *restrict right = to->right;
    double *restrict mean = to->mean, *restrict m2 = to->m2, *restrict low = to->low, *restrict high = to->high;
    double share = samples ? (double)from->samples / samples : 0;
    double weight = samples ? (double)to->samples * from->samples / samples : 0;
    for (int64_t unit = 0; unit < units; unit++) {
        double gap = from->mean[unit] - mean[unit];
        mean[unit] += gap * share;
        m2[unit] += from->m2[unit] + gap * gap * weight;
        left[unit] += from->left[unit];
        right[unit] += from->right[unit];
        low[unit] = from->low[unit] < low[unit] ? from->low[unit] : low[unit];
        high[unit] = from->high[unit] > high[unit] ? from->high[unit] : high[unit];
    }
    to->samples = samples;
    to->nonfinite += from->nonfinite;
}

/* Returns the number of dead units. */
static TARGET int64_t PATH(note_activity)(struct silence *silence, const struct tally *seen,
                                          const struct evidence *evidence, int64_t units, int64_t number)
{
    int64_t *restrict last = silence->last_active, *restrict steps = silence->steps;
    int64_t *restrict samples = silence->samples, dead = 0;
    const int64_t *restrict left = seen->left, now = seen->samples;
    for (int64_t unit = 0; unit < units; unit++) {
        int64_t silent = -(int64_t)(left[unit] >= now); /* all bits, or none */
        steps[unit] = (steps[unit] + 1) & silent;
        samples[unit] = (samples[unit] + now) & silent;
        last[unit] = (last[unit] & silent) | (number & ~silent);
        dead += (samples[unit] >= evidence->samples) & (steps[unit] >= evidence->steps);
    }
    return evidence->dead ? dead : 0;
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

static TARGET void PATH(summarise)(const struct tally *seen, const struct evidence *evidence, int64_t units,
                                   struct row *row)
{
    const int64_t *restrict left = seen->left, *restrict right = seen->right;
    double low = INFINITY, high = -INFINITY, all = (double)seen->samples * units;
    int64_t flat = 0, saturated = 0, both = !evidence->dead;
    double limit = evidence->saturated * seen->samples;
    for (int64_t unit = 0; unit < units; unit++) {
        int64_t bounded = right[unit] + (both ? left[unit] : 0);
        flat += left[unit] + right[unit];
        saturated += bounded >= limit;
        low = seen->low[unit] < low ? seen->low[unit] : low;
        high = seen->high[unit] > high ? seen->high[unit] : high;
    }
    double mean = PATH(sum)(seen->mean, units, 0, 0) / units;
    double variance = PATH(sum)(seen->m2, units, 0, 0) / all + PATH(sum)(seen->mean, units, mean, 1) / units;
    *row = (struct row){
        .samples = seen->samples,
        .inactive = flat / all,
        .saturated = evidence->bounded ? saturated : 0,
        .mean = mean,
        .std = variance >= 0 ? sqrt(variance) : NAN,
        .low = low,
        .high = high,
        .nonfinite = seen->nonfinite,
    };
}
