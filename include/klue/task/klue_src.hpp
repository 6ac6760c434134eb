#pragma once

/// The definitions of what KLUE's benchmark asks of this room. Part of <klue/task/src.hpp>.
#include <klue/task/impl/klue_arithmetic.ipp>
#include <klue/task/impl/klue_checks.ipp>
#include <klue/task/impl/klue_metrics_answers.ipp>
#include <klue/task/impl/klue_metrics_auprc.ipp>
#include <klue/task/impl/klue_metrics_entities.ipp>
#include <klue/task/impl/klue_metrics_labels.ipp>
#include <klue/task/impl/klue_metrics_sts.ipp>
