/* One reading of a tensor for all unit statistics. Pointers come in, sums go out; the caller is called through ctypes
 * and holds no lock of Python meanwhile. Needs gcc or clang, for their vectors; nothing else. */

#include "types.h"

/* Moves the numbers of the units in the panel, which rise, to the beginning of a row. */
static void gather(double *row, struct panel panel)
{
    for (int64_t i = 0; i < panel.units; i++)
        row[i] = row[panel.places[i]];
}

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

#include "choosing.h"

#include "walk.h"

/* Returns the number of entries that are NaN or infinite. */
static int64_t measure(const struct layout *layout, const void *data, struct limits limits, int threads,
                       struct sums out)
{
    enum way way = isnan(limits.right) ? ONE : BOTH;
    struct job job = {.layout = layout, .data = data, .limits = limits, .way = way, .out = out};
    int64_t nonfinite = 0, samples = samples_of(layout);
    int finite;
    memset(out.shift, 0, layout->units * sizeof(double));
    read_all(&job, threads);
    if (chosen->cancels(&out, layout->units, samples, &finite)) {
        shift_to_means(&job, samples);
        job.way = SHIFTED;
        read_all(&job, threads);
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
EXPORT int64_t limen_measure(const struct layout *layout, const void *data, double left, double right, int threads,
                             void *out)
{
    return measure(layout, data, (struct limits){left, right}, threads, rows_of(out, layout->units));
}

#include "norms.h"

#include "account.h"
#include "cells.h"
#include "samples.h"
