/* The compiler, the threads and the instruction sets of this machine: what both libraries share. */

#define EXPORT __attribute__((visibility("default")))
#if defined(__clang__)
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 32")
#endif

/* torch's own team of threads (`GOMP_parallel`): a second team would compete with it for the cores. */
typedef void team(void (*work)(void *), void *context, unsigned threads, unsigned flags);
static team *torch_team;

EXPORT void limen_use_team(team *team_of_torch) { torch_team = team_of_torch; }

static void together(void (*work)(void *), void *context, int threads)
{
    if (threads > 1 && torch_team)
        torch_team(work, context, threads, 0);
    else
        work(context);
}

#if defined(__x86_64__)
static int has_avx512(void)
{
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

static int has_avx2(void)
{
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("f16c") && __builtin_cpu_supports("fma");
}
#endif
