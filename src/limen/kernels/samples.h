/* Some entries of each of many tensors, kept before a change and compared after it. Part of pass.c. */

/* `entries` of a tensor in rows of sixteen, `stride` entries apart (only where that is 16 may a part of a row be left
 * over), and where they are kept one after the other. */
struct sample {
    const char *data;
    int64_t type, entries, stride;
    char *kept;
};

#define SOON 8 /* rows before its use from which memory is asked for */

/* Keeps the entries, and returns their norms. */
EXPORT void limen_keep(int64_t tensors, const struct sample *samples, double *norms)
{
    for (const struct sample *s = samples; s < samples + tensors; s++) {
        int64_t row = LANES * SIZE[s->type], step = s->stride * SIZE[s->type], rows = s->entries / LANES;
        for (int64_t i = 0; i < rows; i++) {
            __builtin_prefetch(s->data + least(i + SOON, rows - 1) * step);
            memcpy(s->kept + i * row, s->data + i * step, row);
        }
        memcpy(s->kept + rows * row, s->data + rows * step, s->entries % LANES * SIZE[s->type]);
        double sum = sum_squares(s->type, s->kept, s->entries);
        norms[s - samples] = is_hard(s->type, sum) ? scaled_norm((const double *)s->kept, s->entries) : sqrt(sum);
    }
}

/* Where the squares are beyond float64: the entries that were kept give way to the changes. */
static double scaled_change(const struct sample *s)
{
    double *kept = (double *)s->kept;
    for (int64_t i = 0; i < s->entries; i++)
        kept[i] = ((const double *)s->data)[i / LANES * s->stride + i % LANES] - kept[i];
    return scaled_norm(kept, s->entries);
}

/* Returns the norms of the changes since, of differences that are not rounded to the type of the tensor. */
EXPORT void limen_moved(int64_t tensors, const struct sample *samples, double *norms)
{
    for (const struct sample *s = samples; s < samples + tensors; s++) {
        int64_t row = LANES * SIZE[s->type], step = s->stride * SIZE[s->type], rows = s->entries / LANES;
        size_t rest = s->entries % LANES * SIZE[s->type];
        double lanes[LANES], last[LANES], now[LANES] = {0}, before[LANES] = {0}, sum = 0;
        chosen->changes[s->type](s->data, s->stride, s->kept, rows, lanes);
        memcpy(now, s->data + rows * step, rest), memcpy(before, s->kept + rows * row, rest);
        chosen->changes[s->type](now, LANES, before, 1, last);
        for (int lane = 0; lane < LANES; lane++)
            sum += lanes[lane] + last[lane];
        norms[s - samples] = is_hard(s->type, sum) ? scaled_change(s) : sqrt(sum);
    }
}
