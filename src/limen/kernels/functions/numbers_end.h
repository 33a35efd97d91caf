/* Makes room for the other precision. */

#undef OF
#undef REAL
#undef V
#undef I
#undef SIGN
#undef FRACTION
#undef BIAS
#undef PICK
#undef RAW_256
#undef RAW_512
#undef IN_256
#undef IN_512
#undef COMPARE_512
#undef BLEND_512
#undef R
#undef N
#undef GIVEN
#undef SHRINK
