/* One reading of a tensor for all unit statistics. Pointers come in, sums go out; the caller is called through ctypes
 * and holds no lock of Python meanwhile. Needs gcc or clang, for their vectors; nothing else. */

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define EXPORT __attribute__((visibility("default")))
#if defined(__clang__)
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

#define VERSION 2
#define LANES 16
#define BLOCK 32            /* rows read at a time, so that memory is read in nearly its own order */
#define CHUNK 256           /* units that one thread takes at a time; their sums stay in the first cache */
#define MOST_ROWS (1 << 30) /* that 32 bits can count */
#define CANCELLATION 1e6    /* mean² above so many variances: sum again around the mean */
#define PIECE (1 << 16)     /* entries of a tensor whose squares one thread sums at a time */
#define CELLS 1024

enum type { F32, F64, BF16, F16 };
static const int64_t SIZE[] = {4, 8, 2, 2};

struct limits {
    double left, right; /* NaN where no such side exists: nothing compares with it */
};

struct lanes {
    double total[LANES], squares[LANES], shift[LANES];
    int64_t left[LANES], right[LANES];
    union {
        float f32[LANES];
        double f64[LANES];
    } low, high;
};

/* Rows of `units` numbers each. */
struct sums {
    int64_t *left, *right;
    double *total, *squares, *shift, *low, *high;
};

/* The sums of some samples, as they are kept. */
struct tally {
    int64_t samples, nonfinite;
    int64_t *left, *right;
    double *mean, *m2, *low, *high;
};

/* What each unit did last. */
struct silence {
    int64_t *last_active, *steps, *samples;
};

/* From when on a unit counts as dead, and from which share of its samples as saturated. */
struct evidence {
    int64_t dead, bounded, samples, steps; /* whether there are dead units here, and saturated ones */
    double saturated;
};

/* What a step looks like in all units together. */
struct row {
    double samples, inactive, dead, saturated, mean, std, low, high, nonfinite;
};

typedef void tile(const void *from, int64_t rows, int64_t stride, struct limits at, struct lanes *all);
typedef void squares(const void *from, int64_t rows, double *squares);

struct set {
    const char *name;
    tile *tiles[4];
    squares *squares[4];
    int (*cancels)(const struct sums *, int64_t units, int64_t samples, int *finite);
    void (*moments)(struct tally *, const double *total, const double *squares, const double *shift, int64_t units);
    void (*merge)(struct tally *, const struct tally *, int64_t units);
    int64_t (*note_activity)(struct silence *, const struct tally *, const struct evidence *, int64_t units,
                             int64_t number);
    void (*summarise)(const struct tally *, const struct evidence *, int64_t units, struct row *);
};

#define PATH(name) name##_plain
#define PATH_NAME "plain"
#define TARGET
#define BYTES 16
#include "path.h"

#if defined(__x86_64__)
#define PATH(name) name##_avx2
#define PATH_NAME "avx2"
#define TARGET __attribute__((target("avx2,f16c")))
#define BYTES 32
#include "path.h"

#define PATH(name) name##_avx512
#define PATH_NAME "avx512"
#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))
#define BYTES 64
#include "path.h"
#endif

static const struct set *chosen = &set_plain;

/* Where the numbers of each unit lie; strides in entries. Units lie side by side in rows (`run` is 1), or each unit
 * has runs of consecutive numbers. */
struct layout {
    int64_t type, units, unit_stride, outer, outer_stride, inner, inner_stride, run;
};

struct job {
    const struct layout *layout;
    const char *data;
    struct limits limits;
    struct sums out;
    int64_t next; /* chunk that nobody has taken yet */
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

static void clear(struct lanes *all, int64_t type)
{
    memset(all, 0, sizeof *all);
    for (int i = 0; i < LANES; i++) {
        if (type == F64)
            all->low.f64[i] = INFINITY, all->high.f64[i] = -INFINITY;
        else
            all->low.f32[i] = INFINITY, all->high.f32[i] = -INFINITY;
    }
}

/* Rows of which only the first `wanted` lanes count: what stands beside them is read where it is memory of the same
 * tensor, and left alone where it is not. */
static void read_rows(const struct job *job, const char *from, int64_t rows, int64_t stride, int64_t wanted,
                      const char *end, struct lanes *all)
{
    int64_t type = job->layout->type, size = SIZE[type], safe = rows;
    tile *read = chosen->tiles[type];
    if (wanted < LANES) {
        int64_t room = (end - from) / size - LANES;
        safe = room < 0 ? 0 : stride ? least(rows, room / stride + 1) : rows;
    }
    for (int64_t row = 0; row < safe; row += MOST_ROWS)
        read(from + row * stride * size, least(safe - row, MOST_ROWS), stride, job->limits, all);
    for (int64_t row = safe; row < rows; row++) {
        double apart[LANES] = {0};
        memcpy(apart, from + row * stride * size, wanted * size);
        read(apart, 1, LANES, job->limits, all);
    }
}

/* Each lane is a unit. */
static void write_lanes(const struct job *job, int64_t first, int64_t units, const struct lanes *all)
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
    for (int64_t lane = 0; lane < lanes; lane++) {
        double low = wide ? all->low.f64[lane] : all->low.f32[lane];
        double high = wide ? all->high.f64[lane] : all->high.f32[lane];
        out->left[unit] += all->left[lane];
        out->right[unit] += all->right[lane];
        out->total[unit] += all->total[lane];
        out->squares[unit] += all->squares[lane];
        out->low[unit] = low < out->low[unit] ? low : out->low[unit];
        out->high[unit] = high > out->high[unit] ? high : out->high[unit];
    }
}

static void read_columns(const struct job *job, int64_t first, int64_t units)
{
    const struct layout *l = job->layout;
    const char *end = end_of(l, job->data);
    int64_t size = SIZE[l->type];
    struct lanes all[CHUNK / LANES];
    for (int64_t unit = 0; unit < units; unit += LANES) {
        struct lanes *these = &all[unit / LANES];
        clear(these, l->type);
        memcpy(these->shift, job->out.shift + first + unit, least(LANES, units - unit) * sizeof(double));
    }
    for (int64_t outer = 0; outer < l->outer; outer++)
        for (int64_t inner = 0; inner < l->inner; inner += BLOCK) {
            int64_t rows = least(BLOCK, l->inner - inner);
            const char *from = job->data + (outer * l->outer_stride + inner * l->inner_stride + first) * size;
            for (int64_t unit = 0; unit < units; unit += LANES)
                read_rows(job, from + unit * size, rows, l->inner_stride, least(LANES, units - unit), end,
                          &all[unit / LANES]);
        }
    for (int64_t unit = 0; unit < units; unit += LANES)
        write_lanes(job, first + unit, least(LANES, units - unit), &all[unit / LANES]);
}

/* Sixteen lanes are sixteen parts of the unit's runs; what a run has beyond a multiple of sixteen is a row apart. */
static void read_runs(struct job *job, int64_t unit)
{
    const struct layout *l = job->layout;
    const char *end = end_of(l, job->data), *from = job->data + unit * l->unit_stride * SIZE[l->type];
    int64_t size = SIZE[l->type], rows = l->run / LANES, rest = l->run % LANES;
    struct lanes whole, tail;
    clear(&whole, l->type), clear(&tail, l->type);
    for (int i = 0; i < LANES; i++)
        whole.shift[i] = tail.shift[i] = job->out.shift[unit];
    for (int64_t outer = 0; outer < l->outer; outer++, from += l->outer_stride * size) {
        for (int64_t inner = 0; rows && inner < l->inner; inner++)
            read_rows(job, from + inner * l->inner_stride * size, rows, LANES, LANES, end, &whole);
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
    int columns = is_columns(l);
    int64_t width = columns ? CHUNK : 1, first;
    while ((first = width * __atomic_fetch_add(&job->next, 1, __ATOMIC_RELAXED)) < l->units) {
        if (columns)
            read_columns(job, first, least(CHUNK, l->units - first));
        else
            read_runs(job, first);
    }
}

/* torch's own team of threads (`GOMP_parallel`): a second team would compete with it for the cores. */
typedef void team(void (*work)(void *), void *context, unsigned threads, unsigned flags);
static team *torch_team;

static void together(void (*work)(void *), void *context, int parallel)
{
    if (parallel && torch_team)
        torch_team(work, context, 0, 0);
    else
        work(context);
}

static void read_all(struct job *job, int parallel)
{
    job->next = 0;
    together(read_chunks, job, parallel);
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

/* Returns the number of entries that are NaN or infinite. */
static int64_t measure(const struct layout *layout, const void *data, struct limits limits, int parallel,
                       struct sums out)
{
    struct job job = {.layout = layout, .data = data, .limits = limits, .out = out};
    int64_t nonfinite = 0, samples = samples_of(layout);
    int finite;
    memset(out.shift, 0, layout->units * sizeof(double));
    read_all(&job, parallel);
    if (chosen->cancels(&out, layout->units, samples, &finite)) {
        shift_to_means(&job, samples);
        read_all(&job, parallel);
    }
    if (!finite)
        each_stretch(layout, data, count_nonfinite, &nonfinite);
    return nonfinite;
}

static struct sums rows_of(void *memory, int64_t units)
{
    int64_t *counts = memory;
    double *sums = (double *)memory + 2 * units;
    return (struct sums){counts, counts + units, sums, sums + units, sums + 2 * units, sums + 3 * units,
                         sums + 4 * units};
}

/* `out` has seven rows of `units`: left, right as int64, then total, squares, shift, low, high as double. */
EXPORT int64_t limen_measure(const struct layout *layout, const void *data, double left, double right, int parallel,
                             void *out)
{
    return measure(layout, data, (struct limits){left, right}, parallel, rows_of(out, layout->units));
}

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
EXPORT int limen_add(struct account *account, const struct layout *layout, const void *data, int parallel)
{
    if (layout->units != account->units)
        return 0;
    struct tally *to = place_for_sums(account);
    struct sums out = {to->left,         to->right, account->total, account->squares,
                       account->shift, to->low,   to->high};
    int64_t nonfinite = measure(layout, data, account->limits, parallel, out);
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

/* The float32 bits of an entry; what is finite stays finite. */
static uint32_t bits_of(int64_t type, const char *from, int64_t at)
{
    uint32_t bits;
    if (type == F64) {
        double wide = ((const double *)from)[at];
        float z = !isfinite(wide) ? wide : wide > FLT_MAX ? FLT_MAX : wide < -FLT_MAX ? -FLT_MAX : wide;
        memcpy(&bits, &z, sizeof bits);
        return bits;
    }
    if (type == F32)
        return ((const uint32_t *)from)[at];
    bits = ((const uint16_t *)from)[at];
    if (type == BF16)
        return bits << 16;
    uint32_t sign = (bits & 0x8000) << 16, exponent = bits >> 10 & 31, body = (bits & 0x7FFF) << 13;
    if (exponent == 0) { /* a whole number of 2**-24 */
        float z = (float)(bits & 0x3FF) * 0x1p-24f;
        memcpy(&body, &z, sizeof body);
        return sign | body;
    }
    return sign | (body + ((exponent == 31 ? 224u : 112u) << 23));
}

struct cells {
    int64_t *whole;
    uint32_t counts[4][CELLS]; /* four, as neighbours often fall into one cell and would wait for each other */
    int64_t room;              /* entries until a count could overflow */
};

static void pour(struct cells *cells)
{
    for (int cell = 0; cell < CELLS; cell++)
        for (int part = 0; part < 4; part++)
            cells->whole[cell] += cells->counts[part][cell], cells->counts[part][cell] = 0;
    cells->room = MOST_ROWS;
}

static void count_cells(int64_t type, const char *from, int64_t entries, void *context)
{
    struct cells *cells = context;
    for (int64_t done = 0, piece; done < entries; done += piece) {
        if (!cells->room)
            pour(cells);
        piece = least(entries - done, cells->room);
        cells->room -= piece;
        if (type == F32)
            for (int64_t i = done; i < done + piece; i++)
                cells->counts[i & 3][bits_of(F32, from, i) >> 22]++;
        else
            for (int64_t i = done; i < done + piece; i++)
                cells->counts[i & 3][bits_of(type, from, i) >> 22]++;
    }
}

/* Counts the entries in `whole` by sign, exponent and first mantissa bit of their float32 value. */
EXPORT void limen_histogram(const struct layout *layout, const void *data, int64_t *whole)
{
    struct cells cells = {.whole = whole, .room = MOST_ROWS};
    memset(whole, 0, CELLS * sizeof *whole);
    each_stretch(layout, data, count_cells, &cells);
    pour(&cells);
    whole[510] = whole[511] = whole[1022] = whole[1023] = 0; /* infinities and NaN */
}

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

/* The L2 norms of tensors of consecutive entries. Returns 0, or -1 where there is no memory for it. */
EXPORT int limen_norms(int64_t tensors, const void *const *data, const int64_t *entries, const int64_t *types,
                       int parallel, double *norms)
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
    together(sum_pieces, &all, parallel);
    for (int64_t i = 0; i < tensors; i++) {
        double sum = 0;
        for (int64_t piece = first[i]; piece < first[i + 1]; piece++)
            sum += all.sums[piece];
        int hard = types[i] == F64 && !isnan(sum) && (isinf(sum) || sum < 1e-280);
        norms[i] = hard ? scaled_norm(data[i], entries[i]) : sqrt(sum);
    }
    free(all.sums), free(first);
    return 0;
}

EXPORT int limen_version(void) { return VERSION; }

EXPORT void limen_use_team(team *parallel) { torch_team = parallel; }

/* The instruction sets that this machine has, best first; NULL after the last. The one asked for is used from now on. */
EXPORT const char *limen_path(int place)
{
    const struct set *sets[4];
    int known = 0;
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
        sets[known++] = &set_avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("f16c"))
        sets[known++] = &set_avx2;
#endif
    sets[known++] = &set_plain;
    if (place >= known)
        return NULL;
    chosen = sets[place];
    return chosen->name;
}
