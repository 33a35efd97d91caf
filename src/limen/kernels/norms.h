/* The L2 norms of many tensors. Part of pass.c. */

struct norms {
    int64_t tensors, pieces;
    const char *const *data;
    const int64_t *entries, *types, *first; /* `first`: piece of each tensor, and the number of all pieces */
    double *sums;                           /* by piece */
    int64_t next;
};

static double sum_squares(int64_t type, const char *from, int64_t entries)
{
    double lanes[LANES], apart[LANES] = {0}, rest[LANES];
    chosen->squares[type](from, entries / LANES, lanes);
    memcpy(apart, from + entries / LANES * LANES * SIZE[type], entries % LANES * SIZE[type]);
    chosen->squares[type](apart, 1, rest);
    double sum = 0;
    for (int lane = 0; lane < LANES; lane++)
        sum += lanes[lane] + rest[lane];
    return sum;
}

static void sum_pieces(void *context)
{
    struct norms *all = context;
    int64_t piece, tensor = 0;
    while ((piece = __atomic_fetch_add(&all->next, 1, __ATOMIC_RELAXED)) < all->pieces) {
        while (all->first[tensor + 1] <= piece)
            tensor++;
        int64_t at = (piece - all->first[tensor]) * PIECE, type = all->types[tensor];
        all->sums[piece] =
            sum_squares(type, all->data[tensor] + at * SIZE[type], least(PIECE, all->entries[tensor] - at));
    }
}

/* For float64 whose squares are too large or too small for float64. */
static double scaled_norm(const double *from, int64_t entries)
{
    double most = 0, sum = 0;
    for (int64_t i = 0; i < entries; i++)
        most = fabs(from[i]) > most ? fabs(from[i]) : most;
    if (most == 0 || isinf(most))
        return most;
    for (int64_t i = 0; i < entries; i++)
        sum += from[i] / most * (from[i] / most);
    return most * sqrt(sum);
}

/* Whether squares were too large or too small for their sum. */
static int is_hard(int64_t type, double sum) { return type == F64 && !isnan(sum) && (isinf(sum) || sum < 1e-280); }

/* The L2 norms of tensors of consecutive entries. Returns 0, or -1 where there is no memory for it. */
EXPORT int limen_norms(int64_t tensors, const void *const *data, const int64_t *entries, const int64_t *types,
                       int threads, double *norms)
{
    int64_t *first = malloc((tensors + 1) * sizeof *first);
    if (!first)
        return -1;
    first[0] = 0;
    for (int64_t i = 0; i < tensors; i++)
        first[i + 1] = first[i] + (entries[i] + PIECE - 1) / PIECE;
    struct norms all = {tensors, first[tensors], (const char *const *)data, entries, types, first, NULL, 0};
    all.sums = malloc((all.pieces + 1) * sizeof(double));
    if (!all.sums) {
        free(first);
        return -1;
    }
    together(sum_pieces, &all, least(threads, all.pieces));
    for (int64_t i = 0; i < tensors; i++) {
        double sum = 0;
        for (int64_t piece = first[i]; piece < first[i + 1]; piece++)
            sum += all.sums[piece];
        norms[i] = is_hard(types[i], sum) ? scaled_norm(data[i], entries[i]) : sqrt(sum);
    }
    free(all.sums), free(first);
    return 0;
}
