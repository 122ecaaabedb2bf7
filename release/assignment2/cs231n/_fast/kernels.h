/* The tiles of gemm_tile.h for several kinds of processor, and the choice among them when the program runs.

Code that must run on any x86-64 may use registers of 16 bytes only. Most processors have wider ones, but how wide is not
known before the program runs. So the same lines are compiled three times, and `count_kernels` asks the processor. Other
kinds of processor (ARM has registers of 16 bytes) have one kernel.

ROWS x VECTORS registers hold sums. Together with the factors they use nearly all registers that a processor has. A loop
cannot choose a register by number, so loops over registers must be unrolled, and the compiler must know the number of
rows. Therefore a tile is compiled for every height up to ROWS. */

#include <stddef.h>

#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#elif defined(__GNUC__)
#define UNROLL _Pragma("GCC unroll 16")
#else
#define UNROLL
#endif
#ifdef __GNUC__
#define FORCE_INLINE static inline __attribute__((always_inline))
#else
#define FORCE_INLINE static inline
#endif
/* TILE(height) with a height that the compiler knows. */
#define BY_HEIGHT(height) \
    switch (height) { CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8) }
#define CASE(height) \
    case height: \
        if (height <= ROWS) TILE(height); \
        break;
#if defined(__GNUC__) && defined(__x86_64__)
#define X86_64
#endif
#define VECTORS 2

/* any processor */
#define TARGET
#define BYTES 16
#define ROWS 4
#define REAL float
#define NAME(x) x##_float_16
#include "gemm_tile.h"
#define REAL double
#define NAME(x) x##_double_16
#include "gemm_tile.h"
#undef TARGET
#undef BYTES
#undef ROWS

#ifdef X86_64
/* since about 2013: 16 registers of 32 bytes, and one instruction that multiplies and adds */
#define TARGET __attribute__((target("avx2,fma")))
#define BYTES 32
#define ROWS 6
#define REAL float
#define NAME(x) x##_float_32
#include "gemm_tile.h"
#define REAL double
#define NAME(x) x##_double_32
#include "gemm_tile.h"
#undef TARGET
#undef BYTES
#undef ROWS

/* many since about 2017: 32 registers of 64 bytes */
#define TARGET __attribute__((target("avx512f,fma")))
#define BYTES 64
#define ROWS 8
#define REAL float
#define NAME(x) x##_float_64
#include "gemm_tile.h"
#define REAL double
#define NAME(x) x##_double_64
#include "gemm_tile.h"
#endif

#define KERNEL_FIELDS(REAL)                                                                                       \
    ptrdiff_t REAL##s; /* that a register holds */                                                            \
    void (*gemm_##REAL##s)(int, ptrdiff_t, ptrdiff_t, ptrdiff_t, const REAL *, const REAL *,                 \
                            const ptrdiff_t *, const ptrdiff_t *, REAL *, const ptrdiff_t *, const ptrdiff_t *); \
    void (*correlate_##REAL##s)(ptrdiff_t, ptrdiff_t, ptrdiff_t, ptrdiff_t, const REAL *, const ptrdiff_t *,  \
                                ptrdiff_t, const REAL *, REAL *);

typedef struct {
    const char *name;
    ptrdiff_t rows; /* of a tile */
    KERNEL_FIELDS(float)
    KERNEL_FIELDS(double)
} kernel;

#define ENTRY(REAL, bytes) \
    sizeof(block_##REAL##_##bytes) / sizeof(REAL), gemm_##REAL##_##bytes, correlate_##REAL##_##bytes

static const kernel KERNELS[] = {
    {"any", 4, ENTRY(float, 16), ENTRY(double, 16)},
#ifdef X86_64
    {"avx2", 6, ENTRY(float, 32), ENTRY(double, 32)},
    {"avx512", 8, ENTRY(float, 64), ENTRY(double, 64)},
#endif
};

/* How many of KERNELS this processor can run, from the first; the last of them is the fastest. */
static int count_kernels(void) {
#ifdef X86_64
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return 1;
    return __builtin_cpu_supports("avx512f") ? 3 : 2;
#else
    return 1;
#endif
}
