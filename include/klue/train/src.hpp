#pragma once

// The definitions of klue::train, to be compiled once in a program. attention_pass.ipp holds
// members of a template that encoder_pass.ipp instantiates.
#include <klue/train/impl/attention_pass.ipp>
#include <klue/train/impl/batch.ipp>
#include <klue/train/impl/encoder_pass.ipp>
#include <klue/train/impl/head_pass.ipp>
#include <klue/train/impl/losses.ipp>
#include <klue/train/impl/model_directory.ipp>
#include <klue/train/impl/network.ipp>
#include <klue/train/impl/optimizer.ipp>
#include <klue/train/impl/parameters.ipp>
#include <klue/train/impl/products.ipp>
#include <klue/train/impl/step_context.ipp>
#include <klue/train/impl/trainer.ipp>
#include <klue/train/impl/vector_ops.ipp>
