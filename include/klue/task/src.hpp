#pragma once

/// The definitions of the room `task`, to be compiled exactly once in a program.

#include <klue/task/impl/answer.ipp>
#include <klue/task/impl/classify.ipp>
#include <klue/task/impl/entities.ipp>
#include <klue/task/impl/fill_mask.ipp>
#include <klue/task/impl/fillings.ipp>
#include <klue/task/impl/mask_head.ipp>
#include <klue/task/impl/rank.ipp>
#include <klue/task/impl/scores.ipp>
#include <klue/task/impl/spans.ipp>
#include <klue/task/impl/tag.ipp>
#include <klue/task/impl/token_head.ipp>
