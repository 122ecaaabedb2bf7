/* The two inner loops of the fast layers: tiles of matrix products, small enough for the processor's registers.

                            b: terms x blocks            Each of ROWS x VECTORS registers sums one block of LANES
                          +-------------------+          numbers of out. Each step of the loop loads VECTORS registers of
                      t   | [====]     [====] |          b and, for every row, one number of a, which is multiplied
                          +-------------------+          with all of them: VECTORS + ROWS loads, ROWS x VECTORS x LANES
      a: rows x terms                                    multiplications and additions. Nothing is stored before the
         +-------+        +-------------------+          last term is added.
         |   .   |        | [====]     [====] |
         |   .   |  -->   | [====]     [====] |  ROWS    Rows, terms and blocks of large matrices may start anywhere;
         |   .   |        | [====]     [====] |          a table holds their offsets. Because of it the fast layers
         +-------+        +-------------------+          need no columns of im2col; see cython_backend.pyx.
             t               VECTORS blocks

kernels.h includes this file once for every kind of processor and number, after it has defined REAL, the type of number;
BYTES of a register; ROWS; VECTORS; and NAME(x), which makes a unique name. */

#ifdef __GNUC__ /* gcc and clang have types for a whole register; for other compilers a register is one number */
typedef REAL NAME(block) __attribute__((vector_size(BYTES), aligned(sizeof(REAL)), may_alias));
#else
typedef REAL NAME(block);
#endif
#define LANES ((ptrdiff_t)(sizeof(NAME(block)) / sizeof(REAL)))

/* out[row][block] = (+= if `add`) the sum over terms of weight[term][row] * b[term][block], for one tile. */
FORCE_INLINE TARGET void NAME(gemm_tile)(const int rows, int add, ptrdiff_t terms, const REAL *weight, const REAL *b,
                                         const ptrdiff_t *b_term, const ptrdiff_t *b_block,
                                         REAL *out, const ptrdiff_t *out_row, const ptrdiff_t *out_block) {
    NAME(block) sum[ROWS][VECTORS], factor[VECTORS], *to;
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int v = 0; v < VECTORS; v++) sum[r][v] = (NAME(block)){0};
    for (ptrdiff_t t = 0; t < terms; t++, weight += rows) {
        UNROLL for (int v = 0; v < VECTORS; v++) factor[v] = *(const NAME(block) *)(b + b_block[v] + b_term[t]);
        UNROLL for (int r = 0; r < rows; r++)
            UNROLL for (int v = 0; v < VECTORS; v++) sum[r][v] += weight[r] * factor[v];
    }
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int v = 0; v < VECTORS; v++) {
            to = (NAME(block) *)(out + out_row[r] + out_block[v]);
            if (add) sum[r][v] += *to;
            *to = sum[r][v];
        }
}

/* out[row][block] = (+= if `add`) the sum over terms of weights[row][term] * b[term][block].

Rows are divided evenly among the smallest possible number of tiles. Weights are packed tile by tile: the first numbers of
its rows, their second numbers, and so on.
b[term][block] starts at b_term[term] + b_block[block] of b, and out[row][block] at out_row[row] + out_block[block]. */
static TARGET void NAME(gemm)(int add, ptrdiff_t rows, ptrdiff_t terms, ptrdiff_t blocks, const REAL *weights,
                              const REAL *b, const ptrdiff_t *b_term, const ptrdiff_t *b_block,
                              REAL *out, const ptrdiff_t *out_row, const ptrdiff_t *out_block) {
    ptrdiff_t tiles = (rows + ROWS - 1) / ROWS;
    for (ptrdiff_t block = 0; block < blocks; block += VECTORS)
        for (ptrdiff_t tile = 0; tile < tiles; tile++) {
            ptrdiff_t row = tile * rows / tiles, end = (tile + 1) * rows / tiles;
#define TILE(height) \
    NAME(gemm_tile)(height, add, terms, weights + row * terms, b, b_term, b_block + block, \
                     out, out_row + row, out_block + block)
            BY_HEIGHT(end - row)
#undef TILE
        }
}

/* out[row][lane] += the sum over terms of a[row][term] * b[term][lane], for one tile. */
FORCE_INLINE TARGET void NAME(correlate_tile)(const int rows, ptrdiff_t lines, ptrdiff_t length, ptrdiff_t lanes,
                                             const REAL *a, const ptrdiff_t *a_row, ptrdiff_t a_line,
                                             const REAL *b, REAL *out) {
    const REAL *row[ROWS];
    NAME(block) sum[ROWS][VECTORS], factor[VECTORS];
    UNROLL for (int r = 0; r < rows; r++) {
        row[r] = a + a_row[r];
        UNROLL for (int v = 0; v < VECTORS; v++) sum[r][v] = *(NAME(block) *)(out + r * lanes + v * LANES);
    }
    for (ptrdiff_t i = 0; i < lines; i++)
        for (ptrdiff_t t = i * a_line; t < i * a_line + length; t++, b += lanes) {
            UNROLL for (int v = 0; v < VECTORS; v++) factor[v] = *(const NAME(block) *)(b + v * LANES);
            UNROLL for (int r = 0; r < rows; r++)
                UNROLL for (int v = 0; v < VECTORS; v++) sum[r][v] += row[r][t] * factor[v];
        }
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int v = 0; v < VECTORS; v++) *(NAME(block) *)(out + r * lanes + v * LANES) = sum[r][v];
}

/* out[row][lane] += the sum over terms of a[row][term] * b[term][lane], for rows of a that start anywhere.

Terms come in lines: term t of line i is the number at a_row[row] + i * a_line + t of a. b and out have rows of `lanes`
numbers, one after the other. */
static TARGET void NAME(correlate)(ptrdiff_t rows, ptrdiff_t lines, ptrdiff_t length, ptrdiff_t lanes, const REAL *a,
                                   const ptrdiff_t *a_row, ptrdiff_t a_line, const REAL *b, REAL *out) {
    ptrdiff_t tiles = (rows + ROWS - 1) / ROWS;
    for (ptrdiff_t lane = 0; lane < lanes; lane += VECTORS * LANES)
        for (ptrdiff_t tile = 0; tile < tiles; tile++) {
            ptrdiff_t row = tile * rows / tiles, end = (tile + 1) * rows / tiles;
#define TILE(height) \
    NAME(correlate_tile)(height, lines, length, lanes, a, a_row + row, a_line, b + lane, out + row * lanes + lane)
            BY_HEIGHT(end - row)
#undef TILE
        }
}
#undef LANES
#undef REAL
#undef NAME
