/* What the parts of the library speak of. Part of functions.c. */

#define VERSION 1
#define CHUNK (1 << 14)      /* entries that one thread takes at a time; a multiple of all vectors */
#define BLOCK 512            /* entries of half precision that are widened at a time */
#define PAST_CACHE (1 << 21) /* entries from which light results are written past the cache, which would fetch them first */

enum type { F32, BF16, F16 };

/* FAST in float32, EXACT in doubles rounded to float32, ODD rounded to odd: half precision is rounded from there. */
enum mode { FAST, EXACT, ODD, MODES };

/* The parameters of a function, in the order of the catalogue's fields. */
struct numbers {
    double given[2];
};

typedef void kernel(const float *x, const float *grad, float *out, int64_t vectors, const struct numbers *,
                    int past_cache);

struct task {
    kernel *kernel;
    const char *x, *grad; /* no grad: the value is asked for */
    char *out;
    int64_t entries, type;
    int past_cache;
    struct numbers numbers;
};

/* By its name in the catalogue; whether float32 is exact already; how light it is: 2 where both passes wait for memory
 * only, 1 where the gradient does in the fast mode, 0 where none does. */
#define EACH_FUNCTION(DO)                                                                                            \
    DO(identity, 1, 2)                                                                                               \
    DO(relu, 1, 2)                                                                                                   \
    DO(leaky_relu, 0, 2)                                                                                             \
    DO(prelu, 0, 2)                                                                                                  \
    DO(relu6, 1, 2)                                                                                                  \
    DO(hardtanh, 1, 2)                                                                                               \
    DO(hardsigmoid, 0, 2)                                                                                            \
    DO(hardswish, 0, 2)                                                                                              \
    DO(sigmoid, 0, 1)                                                                                                \
    DO(tanh, 0, 0)                                                                                                   \
    DO(softsign, 0, 2)                                                                                               \
    DO(softplus, 0, 1)                                                                                               \
    DO(logsigmoid, 0, 1)                                                                                             \
    DO(elu, 0, 1)                                                                                                    \
    DO(celu, 0, 1)                                                                                                   \
    DO(selu, 0, 1)                                                                                                   \
    DO(silu, 0, 1)                                                                                                   \
    DO(quick_gelu, 0, 1)                                                                                             \
    DO(gelu_tanh, 0, 0)                                                                                              \
    DO(gelu, 0, 0)                                                                                                   \
    DO(mish, 0, 0)                                                                                                   \
    DO(abs, 1, 2)                                                                                                    \
    DO(hardshrink, 1, 2)                                                                                             \
    DO(threshold, 1, 2)                                                                                              \
    DO(squared_relu, 0, 2)                                                                                           \
    DO(sparse_plus, 0, 2)                                                                                            \
    DO(sparse_sigmoid, 0, 2)                                                                                         \
    DO(sqnl, 0, 2)                                                                                                   \
    DO(hard_mish, 0, 2)

#define COUNT(name, only, light) +1
enum { FUNCTIONS = 0 EACH_FUNCTION(COUNT) };
#undef COUNT

#define NAME(name, only, light) #name,
static const char *const NAMES[] = {EACH_FUNCTION(NAME)};
#undef NAME

#define LIGHT(name, only, light) light,
static const char LIGHTNESS[] = {EACH_FUNCTION(LIGHT)};
#undef LIGHT

struct set {
    const char *name;
    void (*run)(const struct task *, int64_t first, int64_t entries);
    kernel *kernels[FUNCTIONS][2][MODES]; /* value, gradient */
};
