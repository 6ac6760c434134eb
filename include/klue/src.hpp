#pragma once

/// The whole library but `klue::hub` and `klue::train`: include this in ONE .cpp of a program, and
/// there is nothing of klue-roberta to link.
///
///     #include <klue/src.hpp>    // in one .cpp
///     #include <klue/klue.hpp>   // wherever it is used
///
/// The compiler needs the headers of ICU, nlohmann/json and Eigen, the linker -licuuc; no other
/// flags, and none that choose an instruction set. What else the library can use is chosen by
/// macros, set to 1 on the command line of this one .cpp:
///
///     KLUE_WITH_SNAPPY     compressed TensorFlow indices             -lsnappy
///     KLUE_WITH_ZLIB       models packed as .tar.gz                  -lz
///     KLUE_WITH_ONEDNN     Engine::onednn, of a oneDNN on OpenMP     -ldnnl -lgomp
///     KLUE_WITH_BLAS       Engine::eigen multiplies by a BLAS        -lblas, or another one
///
/// The other libraries are had in the same way, in the same .cpp or another: <klue/train/src.hpp>,
/// and <klue/hub/src.hpp> with
///
///     KLUE_WITH_DOWNLOAD   downloads of models by name               -lcurl -lcrypto

#include <klue/c/src.hpp>
#include <klue/checkpoint/src.hpp>
#include <klue/core/src.hpp>
#include <klue/encoder/src.hpp>
#include <klue/kernels/src.hpp>
#include <klue/linear/src.hpp>
#include <klue/model/src.hpp>
#include <klue/search/src.hpp>
#include <klue/task/src.hpp>
#include <klue/text/src.hpp>
