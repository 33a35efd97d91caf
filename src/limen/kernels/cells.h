/* The histogram of a tensor. Part of pass.c. */

/* The float32 bits of an entry; what is finite stays finite. */
static uint32_t bits_of(int64_t type, const char *from, int64_t at)
{
    uint32_t bits;
    if (type == F64) {
        double wide = ((const double *)from)[at];
        float z = !isfinite(wide) ? wide : wide > FLT_MAX ? FLT_MAX : wide < -FLT_MAX ? -FLT_MAX : wide;
        memcpy(&bits, &z, sizeof bits);
        return bits;
    }
    if (type == F32)
        return ((const uint32_t *)from)[at];
    bits = ((const uint16_t *)from)[at];
    if (type == BF16)
        return bits << 16;
    uint32_t sign = (bits & 0x8000) << 16, exponent = bits >> 10 & 31, body = (bits & 0x7FFF) << 13;
    if (exponent == 0) { /* a whole number of 2**-24 */
        float z = (float)(bits & 0x3FF) * 0x1p-24f;
        memcpy(&body, &z, sizeof body);
        return sign | body;
    }
    return sign | (body + ((exponent == 31 ? 224u : 112u) << 23));
}

struct cells {
    int64_t *whole;
    uint32_t counts[4][CELLS]; /* four, as neighbours often fall into one cell and would wait for each other */
    int64_t room;              /* entries until a count could overflow */
};

static void pour(struct cells *cells)
{
    for (int cell = 0; cell < CELLS; cell++)
        for (int part = 0; part < 4; part++)
            cells->whole[cell] += cells->counts[part][cell], cells->counts[part][cell] = 0;
    cells->room = MOST_ROWS;
}

static void count_cells(int64_t type, const char *from, int64_t entries, void *context)
{
    struct cells *cells = context;
    for (int64_t done = 0, piece; done < entries; done += piece) {
        if (!cells->room)
            pour(cells);
        piece = least(entries - done, cells->room);
        cells->room -= piece;
        if (type == F32)
            for (int64_t i = done; i < done + piece; i++)
                cells->counts[i & 3][bits_of(F32, from, i) >> 22]++;
        else
            for (int64_t i = done; i < done + piece; i++)
                cells->counts[i & 3][bits_of(type, from, i) >> 22]++;
    }
}

/* Counts the entries in `whole` by sign, exponent and first mantissa bit of their float32 value. */
EXPORT void limen_histogram(const struct layout *layout, const void *data, int64_t *whole)
{
    struct cells cells = {.whole = whole, .room = MOST_ROWS};
    memset(whole, 0, CELLS * sizeof *whole);
    each_stretch(layout, data, count_cells, &cells);
    pour(&cells);
    whole[510] = whole[511] = whole[1022] = whole[1023] = 0; /* infinities and NaN */
}
