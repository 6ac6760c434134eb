#pragma once

/// Eigen, 3.4 or 5, of which nothing but the documented interface is used. This is the only place
/// that includes it. KLUE_WITH_BLAS makes its products those of a BLAS, which the program links.

#if KLUE_WITH_BLAS && !defined(EIGEN_USE_BLAS)
#define EIGEN_USE_BLAS
#endif

#if __has_include(<Eigen/Core>)
#include <Eigen/Core>
#elif __has_include(<eigen3/Eigen/Core>)  // Debian's, found without a flag
#include <eigen3/Eigen/Core>
#else
#error \
    "klue needs Eigen 3.4 or 5 (Debian: libeigen3-dev): neither <Eigen/Core> nor <eigen3/Eigen/Core> is there"
#endif

// "World" 3 is the library; its version 5.0 is the world's 3.5.
#if EIGEN_MAJOR_VERSION < 4
#error "klue needs Eigen 3.4 or 5; this one is older"
#endif
