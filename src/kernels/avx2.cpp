#define Eigen klue_eigen_avx2
#define KLUE_KERNELS_ISA avx2
#define KLUE_KERNELS_TABLE table_avx2
#include "kernels/kernels_impl.hpp"
