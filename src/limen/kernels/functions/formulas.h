/* Every function in one precision: WIDE_NUMBERS says which. Part of path.h. */

#include "numbers.h"
#include "mathematics.h"

/* The value of a function at x, and grad times its slope there. */
#define VALUE(name) INLINE V OF(name##_value)(V x, const struct numbers *at)
#define GRADIENT(name) INLINE V OF(name##_gradient)(V x, V grad, const struct numbers *at)

#include "rectified.h"
#include "parabolic.h"
#include "sigmoidal.h"
#include "exponential.h"
#include "gated.h"

#undef VALUE
#undef GRADIENT
#include "numbers_end.h"
