/* Reads a tensor where it lies, in chunks that threads may share. Part of pass.c. */

/* Where the numbers of each unit lie; strides in entries. Units lie side by side in rows (`run` is 1), or each unit
 * has runs of consecutive numbers. */
struct layout {
    int64_t type, units, unit_stride, outer, outer_stride, inner, inner_stride, run;
};

struct job {
    const struct layout *layout;
    const char *data;
    struct limits limits;
    enum way way;
    struct sums out;
    int64_t width, next; /* units of a chunk; the first chunk that nobody has taken yet */
};

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

static int64_t samples_of(const struct layout *l) { return l->outer * l->inner * l->run; }

static int is_columns(const struct layout *l) { return l->unit_stride == 1 && l->run == 1; }

/* One past the last entry. */
static const char *end_of(const struct layout *l, const char *data)
{
    int64_t last = (l->units - 1) * l->unit_stride + (l->outer - 1) * l->outer_stride +
                   (l->inner - 1) * l->inner_stride + l->run - 1;
    return data + (last + 1) * SIZE[l->type];
}

/* Rows of which only the first `wanted` lanes count: what stands beside them is read where it is memory of the same
 * tensor, and left alone where it is not. */
static void read_rows(const struct job *job, const char *from, int64_t rows, int64_t stride, int64_t wanted,
                      const char *end, struct lanes *all)
{
    int64_t type = job->layout->type, size = SIZE[type], safe = rows;
    tile *read = chosen->tiles[job->way][type];
    if (wanted < LANES) {
        int64_t room = (end - from) / size - LANES;
        safe = room < 0 ? 0 : stride ? least(rows, room / stride + 1) : rows;
    }
    for (int64_t row = 0; row < safe; row += MOST_ROWS)
        read(from + row * stride * size, &(struct rows){1, 1, 0, least(safe - row, MOST_ROWS), stride, 0}, job->limits,
             all);
    for (int64_t row = safe; row < rows; row++) {
        double apart[LANES] = {0};
        memcpy(apart, from + row * stride * size, wanted * size);
        read(apart, &(struct rows){1, 1, 0, 1, 0, 0}, job->limits, all);
    }
}

/* Each of the first `units` lanes is a unit. */
static inline void write_lanes(const struct job *job, int64_t first, int64_t units, const struct lanes *all)
{
    const struct sums *out = &job->out;
    memcpy(out->left + first, all->left, units * sizeof(int64_t));
    memcpy(out->right + first, all->right, units * sizeof(int64_t));
    memcpy(out->total + first, all->total, units * sizeof(double));
    memcpy(out->squares + first, all->squares, units * sizeof(double));
    if (job->layout->type == F64) {
        memcpy(out->low + first, all->low.f64, units * sizeof(double));
        memcpy(out->high + first, all->high.f64, units * sizeof(double));
    } else
        for (int64_t lane = 0; lane < units; lane++)
            out->low[first + lane] = all->low.f32[lane], out->high[first + lane] = all->high.f32[lane];
}

/* The first `lanes` lanes are parts of one unit. */
static void add_lanes(const struct job *job, int64_t unit, int64_t lanes, const struct lanes *all)
{
    const struct sums *out = &job->out;
    int wide = job->layout->type == F64;
    int64_t left = out->left[unit], right = out->right[unit];
    double total = out->total[unit], squares = out->squares[unit], low = out->low[unit], high = out->high[unit];
    for (int64_t lane = 0; lane < lanes; lane++) {
        double lowest = wide ? all->low.f64[lane] : all->low.f32[lane];
        double highest = wide ? all->high.f64[lane] : all->high.f32[lane];
        left += all->left[lane], right += all->right[lane];
        total += all->total[lane], squares += all->squares[lane];
        low = lowest < low ? lowest : low;
        high = highest > high ? highest : high;
    }
    out->left[unit] = left, out->right[unit] = right;
    out->total[unit] = total, out->squares[unit] = squares;
    out->low[unit] = low, out->high[unit] = high;
}

static void read_columns(const struct job *job, int64_t first, int64_t units)
{
    const struct layout *l = job->layout;
    const char *end = end_of(l, job->data);
    int64_t size = SIZE[l->type], whole = units / LANES, rest = units % LANES;
    tile *read = chosen->tiles[job->way][l->type];
    struct lanes all[CHUNK / LANES];
    chosen->clear(all, whole + !!rest, l->type);
    for (int64_t unit = 0; job->way == SHIFTED && unit < units; unit += LANES)
        memcpy(all[unit / LANES].shift, job->out.shift + first + unit, least(LANES, units - unit) * sizeof(double));
    for (int64_t outer = 0; outer < l->outer; outer++)
        for (int64_t inner = 0; inner < l->inner; inner += BLOCK) {
            int64_t rows = least(BLOCK, l->inner - inner);
            int64_t ahead = inner + 2 * BLOCK <= l->inner ? BLOCK * l->inner_stride : 0;
            const char *from = job->data + (outer * l->outer_stride + inner * l->inner_stride + first) * size;
            read(from, &(struct rows){whole, 1, 0, rows, l->inner_stride, ahead}, job->limits, all);
            if (rest)
                read_rows(job, from + whole * LANES * size, rows, l->inner_stride, rest, end, &all[whole]);
        }
    for (int64_t block = 0; block < whole; block++)
        write_lanes(job, first + block * LANES, LANES, &all[block]);
    if (rest)
        write_lanes(job, first + whole * LANES, rest, &all[whole]);
}

/* Sixteen lanes are sixteen parts of the unit's runs; what a run has beyond a multiple of sixteen is a row apart. */
static void read_runs(struct job *job, int64_t unit)
{
    const struct layout *l = job->layout;
    const char *end = end_of(l, job->data), *from = job->data + unit * l->unit_stride * SIZE[l->type];
    int64_t size = SIZE[l->type], rows = l->run / LANES, rest = l->run % LANES;
    int64_t at_once = rows && rows < MOST_ROWS ? MOST_ROWS / rows : 1; /* runs */
    tile *read = chosen->tiles[job->way][l->type];
    struct lanes whole, tail;
    chosen->clear(&whole, 1, l->type);
    if (rest)
        chosen->clear(&tail, 1, l->type);
    for (int i = 0; job->way == SHIFTED && i < LANES; i++)
        whole.shift[i] = tail.shift[i] = job->out.shift[unit];
    for (int64_t outer = 0; outer < l->outer; outer++, from += l->outer_stride * size) {
        for (int64_t inner = 0; rows && inner < l->inner; inner += at_once)
            for (int64_t row = 0; row < rows; row += MOST_ROWS) {
                struct rows runs = {1, least(at_once, l->inner - inner), l->inner_stride, least(rows - row, MOST_ROWS),
                                    LANES, AHEAD * l->inner_stride};
                read(from + (inner * l->inner_stride + row * LANES) * size, &runs, job->limits, &whole);
            }
        if (rest)
            read_rows(job, from + rows * LANES * size, l->inner, l->inner_stride, rest, end, &tail);
    }
    struct sums *out = &job->out;
    out->left[unit] = out->right[unit] = 0;
    out->total[unit] = out->squares[unit] = 0;
    out->low[unit] = INFINITY, out->high[unit] = -INFINITY;
    add_lanes(job, unit, rows ? LANES : 0, &whole);
    add_lanes(job, unit, rest, &tail);
}

static void read_chunks(void *context)
{
    struct job *job = context;
    const struct layout *l = job->layout;
    int64_t first;
    while ((first = job->width * __atomic_fetch_add(&job->next, 1, __ATOMIC_RELAXED)) < l->units) {
        if (is_columns(l))
            read_columns(job, first, least(job->width, l->units - first));
        else
            read_runs(job, first);
    }
}

static void read_all(struct job *job, int threads)
{
    int64_t units = job->layout->units;
    job->next = 0;
    job->width = is_columns(job->layout) ? CHUNK : 1;
    while (threads > 1 && job->width > LANES && job->width * threads > units)
        job->width /= 2;
    together(read_chunks, job, threads);
}

static void shift_to_means(const struct job *job, double samples)
{
    for (int64_t unit = 0; unit < job->layout->units; unit++) {
        double mean = job->out.total[unit] / samples;
        job->out.shift[unit] = isfinite(mean) ? mean : 0;
    }
}

/* Calls `visit` for each stretch of consecutive entries. */
typedef void visit(int64_t type, const char *from, int64_t entries, void *context);

static void each_stretch(const struct layout *l, const char *data, visit *visit, void *context)
{
    int columns = is_columns(l);
    for (int64_t unit = 0; unit < (columns ? 1 : l->units); unit++)
        for (int64_t outer = 0; outer < l->outer; outer++)
            for (int64_t inner = 0; inner < l->inner; inner++) {
                int64_t at = unit * l->unit_stride + outer * l->outer_stride + inner * l->inner_stride;
                visit(l->type, data + at * SIZE[l->type], columns ? l->units : l->run, context);
            }
}

static void count_nonfinite(int64_t type, const char *from, int64_t entries, void *context)
{
    static const uint64_t exponent[] = {0x7F800000, 0x7FF0000000000000, 0x7F80, 0x7C00};
    int64_t found = 0;
    uint64_t all = exponent[type];
    if (type == F32)
        for (int64_t i = 0; i < entries; i++)
            found += (((const uint32_t *)from)[i] & (uint32_t)all) == (uint32_t)all;
    else if (type == F64)
        for (int64_t i = 0; i < entries; i++)
            found += (((const uint64_t *)from)[i] & all) == all;
    else
        for (int64_t i = 0; i < entries; i++)
            found += (((const uint16_t *)from)[i] & (uint16_t)all) == (uint16_t)all;
    *(int64_t *)context += found;
}
