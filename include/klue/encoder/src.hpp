#pragma once

/// The definitions of the room `encoder`, to be compiled exactly once in a program.

#include <klue/encoder/impl/attention.ipp>
#include <klue/encoder/impl/config.ipp>
#include <klue/encoder/impl/embeddings.ipp>
#include <klue/encoder/impl/encoder.ipp>
#include <klue/encoder/impl/encoder_core.ipp>
#include <klue/encoder/impl/layer.ipp>
#include <klue/encoder/impl/layer_norm.ipp>
#include <klue/encoder/impl/pooling.ipp>
#include <klue/encoder/impl/token_batch.ipp>
#include <klue/encoder/impl/weights.ipp>
