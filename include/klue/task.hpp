#pragma once

/// What fine-tuned models answer. Each task is a value over a loaded model, made once:
///
///     klue::Classifier   labels of texts and pairs
///     klue::Ranker       how well two texts go together
///     klue::Tagger       entities
///     klue::Answerer     places in a text that answer a question
///     klue::MaskFiller   words for masks

#include <klue/task/answer.hpp>
#include <klue/task/classify.hpp>
#include <klue/task/fill_mask.hpp>
#include <klue/task/rank.hpp>
#include <klue/task/tag.hpp>
