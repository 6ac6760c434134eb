#define Eigen klue_eigen_baseline
#define KLUE_KERNELS_ISA baseline
#define KLUE_KERNELS_TABLE table_baseline
#include "kernels/kernels_impl.hpp"
