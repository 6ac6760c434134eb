#define Eigen klue_eigen_avx512
#define KLUE_KERNELS_ISA avx512
#define KLUE_KERNELS_TABLE table_avx512
#include "kernels/kernels_impl.hpp"
