/* All that is compiled once for each instruction set. pass.c includes this several times, with
 *   PATH(name)  the name with the suffix of that set
 *   PATH_NAME   the name of the set itself
 *   TARGET      the attribute that lets the compiler use it
 *   BYTES       the size of its vectors */

#include "vectors.h"
#include "tile.h"
#include "units.h"

static const struct set PATH(set) = {
    PATH_NAME,
    {
        {PATH(one_f32), PATH(tile_f64), PATH(one_bf16), PATH(one_f16)},
        {PATH(both_f32), PATH(tile_f64), PATH(both_bf16), PATH(both_f16)},
        {PATH(shifted_f32), PATH(tile_f64), PATH(shifted_bf16), PATH(shifted_f16)},
    },
    PATH(clear),
    {PATH(squares_f32), PATH(squares_f64), PATH(squares_bf16), PATH(squares_f16)},
    {PATH(changes_f32), PATH(changes_f64), PATH(changes_bf16), PATH(changes_f16)},
    PATH(cancels),
    PATH(moments),
    PATH(pool),
    PATH(enter),
    PATH(merge),
    PATH(note_activity),
    PATH(saturated),
};

#undef TILE32
#undef TILES32
#undef SQUARES32
#undef CHANGES32
#include "vectors_end.h"
