/* What the parts of the library speak of. Part of functions.c. */

#define VERSION 1
#define CHUNK (1 << 14)      /* entries that one thread takes at a time; a multiple of all vectors */
#define BLOCK 512            /* entries of half precision that are widened at a time */
#define PAST_CACHE (1 << 21) /* entries from which results are written past the cache, which they would fill */

enum type { F32, BF16, F16 };

/* FAST in float32, EXACT in doubles rounded to float32, ODD rounded to odd: half precision is rounded from there. */
enum mode { FAST, EXACT, ODD, MODES };

/* The parameters of a function, in the order of the catalogue's fields. */
struct numbers {
    double given[2];
};

typedef void kernel(const float *x, const float *grad, float *out, int64_t vectors, const struct numbers *, int past_cache);

struct task {
    kernel *kernel;
    const char *x, *grad; /* no grad: the value is asked for */
    char *out;
    int64_t entries, type;
    int past_cache;
    struct numbers numbers;
};

#define EACH_FUNCTION(DO)                                                                                            \
    DO(identity, 1)                                                                                                  \
    DO(relu, 1)                                                                                                      \
    DO(leaky_relu, 0)                                                                                                \
    DO(prelu, 0)                                                                                                     \
    DO(relu6, 1)                                                                                                     \
    DO(hardtanh, 1)                                                                                                  \
    DO(hardsigmoid, 0)                                                                                               \
    DO(hardswish, 0)                                                                                                 \
    DO(sigmoid, 0)                                                                                                   \
    DO(tanh, 0)                                                                                                      \
    DO(softsign, 0)                                                                                                  \
    DO(softplus, 0)                                                                                                  \
    DO(logsigmoid, 0)                                                                                                \
    DO(elu, 0)                                                                                                       \
    DO(celu, 0)                                                                                                      \
    DO(selu, 0)                                                                                                      \
    DO(silu, 0)                                                                                                      \
    DO(quick_gelu, 0)                                                                                                \
    DO(gelu_tanh, 0)                                                                                                 \
    DO(gelu, 0)                                                                                                      \
    DO(mish, 0)
/* By name, and whether float32 is exact already. */

#define COUNT(name, only) +1
enum { FUNCTIONS = 0 EACH_FUNCTION(COUNT) };
#undef COUNT

#define NAME(name, only) #name,
static const char *const NAMES[] = {EACH_FUNCTION(NAME)};
#undef NAME

struct set {
    const char *name;
    void (*run)(const struct task *, int64_t first, int64_t entries);
    kernel *kernels[FUNCTIONS][2][MODES]; /* value, gradient */
};
