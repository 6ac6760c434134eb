#pragma once

/// The whole library but `klue::hub` and `klue::train` (<klue/train/src.hpp>): include this in ONE
/// .cpp of a program, and there is nothing of klue-roberta to link.
///
///     #include <klue/src.hpp>    // in one .cpp
///     #include <klue/klue.hpp>   // wherever it is used
///
/// The compiler needs the headers of ICU, nlohmann/json and Eigen, the linker -licuuc; no other
/// flags, and none that choose an instruction set. What else the library can use is chosen by
/// macros, set to 1 on the command line of this one .cpp:
///
/// | macro              | gives                                  | needs                          |
/// |--------------------|----------------------------------------|--------------------------------|
/// | KLUE_WITH_SNAPPY   | compressed TensorFlow indices          | libsnappy: -lsnappy            |
/// | KLUE_WITH_ZLIB     | models packed as .tar.gz               | zlib: -lz                      |
/// | KLUE_WITH_ONEDNN   | Engine::onednn                         | oneDNN on OpenMP: -ldnnl -lgomp
/// | | KLUE_WITH_BLAS     | Engine::eigen multiplies by a BLAS     | any BLAS: -lblas | |
/// KLUE_WITH_DOWNLOAD | downloads (<klue/hub/src.hpp>)         | libcurl, OpenSSL: -lcurl -lcrypto
/// |

#include <klue/checkpoint/src.hpp>
#include <klue/core/src.hpp>
#include <klue/encoder/src.hpp>
#include <klue/kernels/src.hpp>
#include <klue/linear/src.hpp>
#include <klue/model/src.hpp>
#include <klue/search/src.hpp>
#include <klue/text/src.hpp>
