/* Elementwise functions and their gradients. Pointers come in, numbers go out; the caller is called through ctypes and
 * holds no lock of Python meanwhile. Needs gcc or clang, for their vectors; nothing else.
 *
 * Every function is written once (`rectified.h` and its neighbours) and compiled twice for each instruction set: in
 * float32, which is the fast mode, and in doubles whose results are rounded once, which is the exact one. */

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "../machine.h"
#include "types.h"

#define PATH(name) name##_plain
#define PATH_NAME "plain"
#define TARGET
#define BYTES 16
#include "path.h"

#if defined(__x86_64__)
#define PATH(name) name##_avx2
#define PATH_NAME "avx2"
#define TARGET __attribute__((target("avx2,fma,f16c")))
#define BYTES 32
#include "path.h"

#define PATH(name) name##_avx512
#define PATH_NAME "avx512"
#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c")))
#define BYTES 64
#include "path.h"
#endif

#include "../choosing.h"

/* The functions by their names in the catalogue; NULL after the last. */
EXPORT const char *limen_function(int place) { return place < FUNCTIONS ? NAMES[place] : NULL; }

struct job {
    const struct task *task;
    int64_t next; /* the first chunk that nobody has taken yet */
};

static void take_chunks(void *context)
{
    struct job *job = context;
    int64_t first;
    while ((first = CHUNK * __atomic_fetch_add(&job->next, 1, __ATOMIC_RELAXED)) < job->task->entries) {
        int64_t left = job->task->entries - first;
        chosen->run(job->task, first, left < CHUNK ? left : CHUNK);
    }
#if defined(__x86_64__)
    if (job->task->past_cache)
        _mm_sfence();
#endif
}

/* `out` becomes the function of `x`, or, where there is a `grad`, `grad` times its slope at `x`: `entries` numbers of
 * `type`, one after the other. */
EXPORT void limen_apply(int function, int exact, int type, const void *x, const void *grad, void *out, int64_t entries,
                        double first, double second, int threads)
{
    enum mode mode = exact ? type == F32 ? EXACT : ODD : FAST;
    int light = LIGHTNESS[function] == 2 || (LIGHTNESS[function] == 1 && grad && mode == FAST);
    int past_cache = light && type == F32 && entries >= PAST_CACHE && (uintptr_t)out % 64 == 0;
    struct task task = {chosen->kernels[function][grad != NULL][mode], x, grad, out, entries, type, past_cache,
                        {{first, second}}};
    struct job job = {&task, 0};
    together(take_chunks, &job, threads);
}
