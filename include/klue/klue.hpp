#pragma once

/// Everything a program needs: Korean text in, vectors out.
///
///     #include <klue/klue.hpp>
///
///     auto model = klue::Model::load("klue-roberta-base");
///     auto vectors = model.embed({"첫 번째 문장", "두 번째 문장"});
///     float similarity = klue::cosine_similarity(vectors.at(0), vectors.at(1));

#include <klue/core/encoder_inputs.hpp>
#include <klue/core/error.hpp>
#include <klue/core/files.hpp>
#include <klue/core/language.hpp>
#include <klue/core/tensor.hpp>
#include <klue/encoder/encoder.hpp>
#include <klue/encoder/pooling.hpp>
#include <klue/model.hpp>
#include <klue/search.hpp>
#include <klue/task.hpp>
#include <klue/text/preprocessor.hpp>
#include <klue/version.hpp>
