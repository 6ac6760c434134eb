#pragma once

/// The whole library but `klue::hub`: include this in ONE .cpp of a program and there is nothing of
/// klue-roberta to link.
///
///     #include <klue/src.hpp>    // in one .cpp
///     #include <klue/klue.hpp>   // wherever it is used

#include <klue/checkpoint/src.hpp>
#include <klue/core/src.hpp>
#include <klue/encoder/src.hpp>
#include <klue/model/src.hpp>
#include <klue/text/src.hpp>
