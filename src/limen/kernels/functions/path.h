/* All that is compiled once for each instruction set. functions.c includes this several times, with what the other
 * path.h says. */

#include "../vectors.h"

#define WIDE_NUMBERS 0
#include "formulas.h"
#undef WIDE_NUMBERS
#define WIDE_NUMBERS 1
#include "formulas.h"
#undef WIDE_NUMBERS

#include "loops.h"

static const struct set PATH(set) = {PATH_NAME, PATH(run), {EACH_FUNCTION(KERNELS)}};

#undef NARROWED
#undef PUT
#undef PUT_HALF
#undef READ
#undef LOOP
#undef LOOPS
#undef KERNELS
#include "../vectors_end.h"
