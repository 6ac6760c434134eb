#pragma once

/// The definitions of the room `task`, to be compiled exactly once in a program.

#include <klue/task/impl/answer.ipp>
#include <klue/task/impl/classify.ipp>
#include <klue/task/impl/entities.ipp>
#include <klue/task/impl/fill_mask.ipp>
#include <klue/task/impl/fillings.ipp>
#include <klue/task/impl/klue_arithmetic.ipp>
#include <klue/task/impl/klue_basic_tokenizer.ipp>
#include <klue/task/impl/klue_checks.ipp>
#include <klue/task/impl/klue_inputs.ipp>
#include <klue/task/impl/klue_metrics_answers.ipp>
#include <klue/task/impl/klue_metrics_auprc.ipp>
#include <klue/task/impl/klue_metrics_entities.ipp>
#include <klue/task/impl/klue_metrics_labels.ipp>
#include <klue/task/impl/klue_metrics_sts.ipp>
#include <klue/task/impl/klue_mrc_answers.ipp>
#include <klue/task/impl/klue_mrc_windows.ipp>
#include <klue/task/impl/klue_ner.ipp>
#include <klue/task/impl/klue_ner_file.ipp>
#include <klue/task/impl/klue_re.ipp>
#include <klue/task/impl/klue_runner.ipp>
#include <klue/task/impl/mask_head.ipp>
#include <klue/task/impl/rank.ipp>
#include <klue/task/impl/scores.ipp>
#include <klue/task/impl/spans.ipp>
#include <klue/task/impl/tag.ipp>
#include <klue/task/impl/token_head.ipp>
