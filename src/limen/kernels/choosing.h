/* Which of the sets that path.h made is in use. Both libraries include this after the last of them; `set_plain` and its
 * like are theirs, as are `struct set` and VERSION. */

static const struct set *chosen = &set_plain;

EXPORT int limen_version(void) { return VERSION; }

/* The instruction sets of this machine, best first; NULL after the last. The one asked for is used from now on. */
EXPORT const char *limen_path(int place)
{
    const struct set *sets[4];
    int known = 0;
#if defined(__x86_64__)
    if (has_avx512())
        sets[known++] = &set_avx512;
    if (has_avx2())
        sets[known++] = &set_avx2;
#endif
    sets[known++] = &set_plain;
    if (place >= known)
        return NULL;
    chosen = sets[place];
    return chosen->name;
}
