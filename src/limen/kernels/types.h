/* What the parts of the pass speak of. Part of pass.c. */

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "machine.h"

#define VERSION 6
#define LANES 16
#define BLOCK 8             /* rows read at a time: few enough to be streams that the processor fetches ahead */
#define AHEAD 2             /* runs before its use from which memory is asked for; in rows it is the next block */
#define CHUNK 256           /* units that one thread takes at a time; their sums stay in the first cache */
#define MOST_ROWS (1 << 30) /* that 32 bits can count */
#define CANCELLATION 1e6    /* mean² above so many variances: sum again around the mean */
#define PIECE (1 << 16)     /* entries of a tensor whose squares one thread sums at a time */
#define PAGE 4096           /* bytes, at whose end the processor itself ceases to fetch ahead */
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

/* Some samples of all units. */
struct part {
    int64_t samples, nonfinite;
    const int64_t *left, *right;
    double *mean, *m2, *low, *high;
};

/* The sums of fewer than 2^32 samples, as they are kept: counts of all units, `right` only where there is that side,
 * and moments and extremes of those in the panel. */
struct tally {
    int64_t steps, samples, nonfinite;
    uint32_t *left, *right;
    double *mean, *m2, *low, *high;
};

/* All units of a step together. */
struct whole {
    int64_t flat;
    double mean, m2, low, high;
};

/* Counts of units in as few bytes as hold their distances from the least: `width` of them each, none where all are
 * equal. */
struct narrow {
    int64_t least, width;
    void *above;
};

/* The sums of full windows: a tally whose counts stand in the others. */
struct kept {
    struct tally sums;
    struct whole whole;
    struct narrow left, right;
};

/* The units of which moments and extremes are kept. */
struct panel {
    int64_t units;
    const int64_t *places;
};

/* Whether there are dead units here, and saturated ones, and from which share of its samples a unit is one. */
struct evidence {
    int64_t dead, bounded;
    double saturated;
};

/* What a step looks like in all units together. */
struct row {
    double samples, inactive, dead, saturated, mean, std, low, high, gradient, nonfinite;
};

/* Blocks of sixteen lanes side by side, each of groups of rows; strides in entries, as is `ahead`: how far before its
 * use memory is asked for. */
struct rows {
    int64_t blocks, groups, group_stride, rows, row_stride, ahead;
};

/* What is asked of a tile: flat counts of the left side only, of both, or of both with sums around a shift. */
enum way { ONE, BOTH, SHIFTED, WAYS };

typedef void tile(const void *from, const struct rows *rows, struct limits at, struct lanes *all);
typedef void squares(const void *from, int64_t rows, double *squares);
typedef void changes(const void *from, int64_t stride, const void *kept, int64_t rows, double *squares);

struct set {
    const char *name;
    tile *tiles[WAYS][4];
    void (*clear)(struct lanes *, int64_t blocks, int64_t type);
    squares *squares[4];
    changes *changes[4];
    int (*cancels)(const struct sums *, int64_t units, int64_t samples, int *finite);
    void (*moments)(const struct sums *, int64_t units, int64_t samples, int64_t nonfinite);
    void (*pool)(struct whole *, const struct part *, int64_t units, int64_t before);
    void (*enter)(struct tally *, const struct part *, int64_t units, struct panel);
    void (*merge)(struct tally *, const struct tally *, int64_t units, int64_t panel);
    int64_t (*note_activity)(uint32_t *last, const struct tally *, int64_t units, int64_t place, int64_t dead);
    int64_t (*saturated)(const struct tally *, const struct evidence *, int64_t units);
};
